// SPDX-License-Identifier: AGPL-3.0-or-later

/** Names under which well-known services and companies are found, as their owners chose them: no machine made one. */
export const CHOSEN: readonly string[] = `
google youtube facebook instagram wikipedia amazon twitter yahoo reddit whatsapp netflix linkedin bing
office live microsoft twitch pinterest zoom ebay apple github stackoverflow wordpress tumblr imgur spotify
dropbox salesforce adobe paypal cloudflare akamai fastly digitalocean heroku netlify vercel hetzner ovh
linode vultr rackspace godaddy namecheap gandi mozilla debian ubuntu fedoraproject archlinux gentoo
kernel gnu apache nginx postgresql mysql mariadb mongodb redis elastic grafana prometheus kubernetes docker
openssl letsencrypt digicert sectigo globalsign verisign icann iana ietf w3 ieee acm arxiv springer
elsevier nature sciencedirect researchgate academia coursera udemy khanacademy duolingo britannica
nytimes washingtonpost guardian bbc cnn reuters bloomberg forbes economist spiegel zeit faz sueddeutsche
lemonde lefigaro elpais elmundo repubblica corriere aftonbladet dagbladet asahi yomiuri mainichi naver
daum kakao baidu taobao tmall alibaba aliexpress weibo sohu sina bilibili zhihu douban yandex vkontakte
rambler ozon wildberries avito seznam allegro onet interia telekom vodafone orange telefonica swisscom
comcast verizon sprint rogers telstra optus ryanair easyjet lufthansa emirates qantas airbnb booking
expedia tripadvisor kayak skyscanner uber lyft doordash deliveroo zalando otto ikea decathlon lidl aldi
walmart target costco bestbuy homedepot etsy shopify stripe klarna adyen visa mastercard americanexpress
hsbc barclays santander unicredit commerzbank deutschebank ingdiba sparkasse raiffeisen schwab fidelity
vanguard robinhood coinbase binance kraken steampowered epicgames ubisoft blizzard playstation nintendo
xbox roblox minecraft discordapp telegram signal viber skype slack atlassian trello notion asana figma
canva miro zendesk hubspot mailchimp sendgrid twilio segment mixpanel amplitude hotjar optimizely
doubleclick googlesyndication gstatic googleapis ytimg fbcdn twimg cdninstagram akamaiedge cloudfront
edgesuite azureedge msecnd bootstrapcdn jsdelivr unpkg jquery fontawesome gravatar criteo taboola outbrain
scorecardresearch adnxs rubiconproject pubmatic openx quantserve chartbeat newrelic datadoghq sentry
bugsnag loggly splunk crowdstrike mcafee kaspersky avast bitdefender sophos fortinet paloaltonetworks
juniper cisco huawei ericsson nokia siemens bosch philips panasonic toshiba samsung hyundai toyota
volkswagen mercedesbenz porsche renault peugeot michelin continental thyssenkrupp basf bayer novartis
roche pfizer merck astrazeneca nestle danone unilever heineken carlsberg loreal adidas nike
`
  .trim()
  .split(/\s+/);
