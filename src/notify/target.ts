// SPDX-License-Identifier: AGPL-3.0-or-later
import dns from "node:dns";
import type { LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";
import type { Secret } from "../util/secret.ts";

/** The hosts and paths of a vendor's webhooks: a secret URL is sent nowhere else by mistake. */
export interface Vendor {
  readonly label: string;
  readonly hosts: readonly string[];
  /** Ends of host names, each with its dot, where the vendor gives every customer a host. */
  readonly suffixes?: readonly string[];
  /** True where anyone may run the receiver: a name says nothing then, and the addresses are checked alone. */
  readonly anyHost?: boolean;
  readonly path: RegExp;
  /** What a right URL looks like, for error messages. */
  readonly example: string;
}

export interface TargetPolicy {
  readonly allowHttp: boolean;
  readonly allowPrivate: boolean;
}

/** Where a webhook goes. The URL is a secret: whoever knows it can post. */
export interface Target {
  readonly url: Secret;
  readonly policy: TargetPolicy;
  /** What messages call the other side: the vendor's host name, else only "the receiver". */
  readonly label: string;
  readonly timeoutMs: number;
  /** Value of the Authorization header, where the receiver wants one. */
  readonly authorization?: Secret | undefined;
}

/** The code of the error that refuses an address the policy does not allow. */
export const REFUSED_ADDRESS = "NAM_REFUSED_ADDRESS";

/** What is wrong with a webhook URL, without a character of it; null if nothing is. */
export function urlProblem(text: string, vendor: Vendor, policy: TargetPolicy): string | null {
  if (!URL.canParse(text)) return `is not a URL; expected one like ${vendor.example}`;
  const url = new URL(text);
  if (url.protocol !== "https:" && url.protocol !== "http:") return "must begin with https://";
  if (url.protocol === "http:" && !policy.allowHttp) {
    return "must begin with https://; allow_http: true permits http where the path to the receiver is trusted";
  }
  if (url.username !== "" || url.password !== "") return "must not hold a user name or password";
  const literal = url.hostname.replace(/^\[|\]$/g, "");
  if (ipaddr.isValid(literal) && !isAllowed(literal, policy)) {
    return "points to an address that is not public; for a receiver of your own set allow_private: true";
  }
  if (vendor.anyHost) return null;
  const isVendor = isHostOf(url.hostname, vendor);
  if (isVendor && !vendor.path.test(url.pathname)) {
    return `is not a webhook of ${vendor.label}; expected one like ${vendor.example}`;
  }
  if (!isVendor && !policy.allowPrivate) {
    return `is not on a host of ${vendor.label}; for a compatible receiver of your own set allow_private: true`;
  }
  return null;
}

/** What messages may call the host of this URL. */
export function hostLabel(text: string, vendor: Vendor): string {
  const { hostname } = new URL(text);
  if (vendor.hosts.includes(hostname)) return hostname;
  // The customer's part of a host name is nobody else's business.
  return isHostOf(hostname, vendor) ? vendor.label : "the receiver";
}

function isHostOf(hostname: string, { hosts, suffixes = [] }: Vendor): boolean {
  return hosts.includes(hostname) || suffixes.some((suffix) => hostname.endsWith(suffix));
}

/** Whether a connection to this address may be made. Metadata services are refused always: no receiver lives there. */
export function isAllowed(address: string, policy: Pick<TargetPolicy, "allowPrivate">): boolean {
  if (isMetadata(address)) return false;
  return policy.allowPrivate || isPublicAddress(address);
}

function isMetadata(text: string): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.process(text);
  if (address.kind() === "ipv6" && address.range() === "rfc6052") {
    return isMetadata(address.toByteArray().slice(12).join("."));
  }
  return METADATA.includes(address.toString());
}

/** True for addresses of the public internet; private, loopback, link-local, metadata and reserved ones are not. */
export function isPublicAddress(text: string): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.process(text);
  // NAT64 (RFC 6052) carries an IPv4 address in its last 32 bits, and that is where the packets go.
  if (address.kind() === "ipv6" && address.range() === "rfc6052") {
    return isPublicAddress(address.toByteArray().slice(12).join("."));
  }
  return address.range() === "unicast" && !METADATA.includes(address.toString());
}

/** Metadata services: of most clouds, of Alibaba and of AWS over IPv6, and Azure's wire server in the public range. */
const METADATA = ["169.254.169.254", "100.100.100.200", "fd00:ec2::254", "168.63.129.16"];

/**
 * A `lookup` for outgoing connections that gives only addresses the policy allows. The connection is made to exactly
 * what was checked here, so a name that resolves differently a moment later (DNS rebinding) gains nothing.
 */
export function guardedLookup(
  policy: Pick<TargetPolicy, "allowPrivate">,
  lookup = dns.lookup,
): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, "", 0);
      const allowed = addresses.filter(({ address }) => isAllowed(address, policy));
      const [first] = allowed;
      if (!first) return callback(refusedAddress(), "", 0);
      if (options.all) return callback(null, allowed);
      return callback(null, first.address, first.family);
    });
  };
}

function refusedAddress(): NodeJS.ErrnoException {
  return Object.assign(new Error("the address is not public"), { code: REFUSED_ADDRESS });
}
