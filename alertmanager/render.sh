#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# Prints alertmanager.yml with your webhooks in it, for Alertmanager before 0.28, which cannot read Discord's from a file.
#   alertmanager/render.sh SLACK_URL_FILE DISCORD_URL_FILE > /etc/alertmanager/alertmanager.yml
# The result holds the Discord webhook: keep it readable for Alertmanager only. Slack's stays in its own file.
set -eu

[ $# -eq 2 ] || { echo "usage: $0 SLACK_URL_FILE DISCORD_URL_FILE" >&2; exit 2; }
folder=$(cd "$(dirname "$0")" && pwd)

# Prints the one URL in a file; refuses what would break the YAML, without repeating it: it is a secret.
url_in() {
  url=$(cat "$1")
  case $url in
    *[!A-Za-z0-9/:._?=%\&~-]* | "") echo "$0: $1 does not hold one URL and nothing else" >&2; exit 2 ;;
    https://* | http://127.0.0.1:*) printf '%s' "$url" ;;
    *) echo "$0: the URL in $1 must begin with https://" >&2; exit 2 ;;
  esac
}

url_in "$1" >/dev/null
discord=$(url_in "$2")
discord=$(printf '%s' "$discord" | sed 's/&/\\&/g')
sed -e "s|https://discord.com/api/webhooks/ID/TOKEN|$discord|" \
  -e "s|/etc/alertmanager/secrets/slack-webhook-url|$1|" \
  -e "s|templates/nam.tmpl|$folder/templates/nam.tmpl|" \
  "$folder/alertmanager.yml"
