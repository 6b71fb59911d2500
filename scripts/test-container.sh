#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# npm run test:container: really builds the image of the Dockerfile, as root on Debian, and tries it. Not part of npm test,
# because it takes minutes. Where no image registry is reached, a Debian made by debootstrap stands in for the base
# images (../shared/tools).
set -euo pipefail
cd "$(dirname "$0")/.."

readonly node_image=docker.io/library/node:24-bookworm-slim
readonly base_image=docker.io/library/debian:bookworm-slim
readonly stand_in=../shared/tools/container-base.sh
readonly image=network-anomaly-monitor:test
readonly home=/opt/network-anomaly-monitor
readonly program=(/usr/local/bin/node "$home/dist/main.js")
readonly address=127.0.0.1:19977
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot

scratch=$(mktemp -d)
container=""
monitor=""
passed=0

fail() {
  [ ! -s "$scratch/log" ] || tail -20 "$scratch/log" >&2
  echo "test:container: $*" >&2
  exit 1
}

cleanup() {
  [ -z "$monitor" ] || kill "$monitor" 2>/dev/null || true
  wait
  [ -z "$container" ] || { buildah rm "$container" && buildah rmi "$image"; } >/dev/null
  rm -rf "$scratch"
}
trap cleanup EXIT

ensure_tools() {
  if command -v buildah >/dev/null && command -v getcap >/dev/null && command -v curl >/dev/null; then return; fi
  command -v apt-get >/dev/null || fail "buildah, getcap or curl is missing; install it"
  echo "Installing the Debian packages buildah, crun, libcap2-bin and curl …"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends buildah crun libcap2-bin curl >/dev/null
}

has_bases() {
  buildah inspect --type image "$node_image" >/dev/null 2>&1 &&
    buildah inspect --type image "$base_image" >/dev/null 2>&1
}

ensure_bases() {
  if has_bases; then return; fi
  if buildah pull -q "$node_image" >/dev/null 2>&1 && buildah pull -q "$base_image" >/dev/null 2>&1; then return; fi
  [ -f "$stand_in" ] || fail "no image registry is reached, and there is no $stand_in"
  echo "No image registry is reached: building a stand-in for the base images …"
  bash "$stand_in" "$node_image" 24 >/dev/null
  buildah tag "$node_image" "$base_image"
}

# Runs a command inside the container, as the image's own user.
inside() { buildah run "$container" -- "$@"; }

# check NAME COMMAND…: the command must succeed.
check() {
  local name=$1
  shift
  "$@" >"$scratch/log" 2>&1 || fail "not ok: $name"
  echo "ok: $name"
  passed=$((passed + 1))
}

# prints PATTERN COMMAND…: the command must succeed and print the pattern.
prints() {
  local pattern=$1 output
  shift
  output=$("$@")
  grep -E -e "$pattern" <<<"$output"
}

fails() { ! "$@"; }

eventually() {
  local deadline=$((SECONDS + 30))
  until "$@"; do
    [ "$SECONDS" -lt "$deadline" ] || return 1
    sleep 0.2
  done
}

# A file that the program wrote outside its state folder and /tmp.
written_elsewhere() {
  find "$mount/opt" "$mount/usr" "$mount/var" "$mount/home" "$mount/root" -xdev -newer "$scratch/started" -type f \
    -not -path "$mount/var/lib/network-anomaly-monitor/*" -print -quit | grep .
}

[ "$(id -u)" = 0 ] || fail "needs root"
ensure_tools
ensure_bases
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
check "the image builds" \
  buildah bud --pull-never --format docker --build-arg "REVISION=$revision" --tag "$image" .
container=$(buildah from --pull-never --cap-add CAP_NET_RAW "$image")
mount=$(buildah mount "$container")
version=$(node --print 'require("./package.json").version')
echo "{}" >"$mount/tmp/good.yml"
echo "web: {listen: 1}" >"$mount/tmp/bad.yml"

check "it runs as an account of its own" prints "^nam$" inside id -un
check "its one capability is on the program" prints "cap_net_raw=ep$" getcap "$mount/usr/local/bin/node"
check "it has neither compilers nor test tools" \
  inside sh -c '! command -v cc && [ ! -e node_modules/typescript ] && [ ! -e node_modules/vitest ]'
check "it can write its state and not itself" \
  inside sh -c '[ -w /var/lib/network-anomaly-monitor ] && [ ! -w dist ]'
check "it says its version and revision" prints "$version.*$revision" inside "${program[@]}" --version
check "it lists its metrics" prints "^nam_capture_up " inside "${program[@]}" metrics
check "it accepts an empty configuration" inside "${program[@]}" check-config /tmp/good.yml
check "it refuses a wrong one" fails inside "${program[@]}" check-config /tmp/bad.yml
check "it finds the attacks in the bundled capture" \
  prints "syn_flood" inside "${program[@]}" replay demo/demo.pcap.gz
check "it is unhealthy while nothing runs" \
  fails inside /usr/local/bin/node healthcheck.mjs "http://$address/-/healthy"

touch "$scratch/started"
# Not through a function: the signal at the end must reach buildah, which hands it on.
buildah run "$container" -- "${program[@]}" run --interface lo --web.listen-address "$address" >"$scratch/monitor" 2>&1 &
monitor=$!
check "it captures without being root, and is ready" \
  eventually inside /usr/local/bin/node healthcheck.mjs "http://$address/-/ready"
check "it counts packets" \
  eventually prints '^nam_capture_packets_total\{.*\} [1-9]' curl --silent "http://$address/metrics"
check "it writes nothing but its state" fails written_elsewhere
echo "$passed passed, 0 failed"
