// SPDX-License-Identifier: AGPL-3.0-or-later
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { Stop } from "../../src/decode/protocol.ts";
import { FlowDecoding } from "./flow-decoding.ts";
import { type Bytes, bytes, ethernet, frameOf, hex, ipv4, tcp, u32 } from "./frames.ts";

const LISTS = ["kex", "host-key", "c2s", "s2c", "mac-c", "mac-s", "comp-c", "comp-s", "", ""];
const md5 = (text: string): string => createHash("md5").update(text).digest("hex");

function kexinit(lists: readonly string[] = LISTS): Bytes {
  const names = bytes(...lists.map((list) => bytes(u32(list.length), list)));
  const payload = bytes(20, new Uint8Array(16), names, 0, u32(0));
  return bytes(u32(payload.length + 5), 4, payload, new Uint8Array(4));
}

/** One connection between two ports. */
class Connection {
  readonly decoding = new FlowDecoding();
  readonly #port: number;
  readonly #sent = { client: 1, server: 1 };

  constructor(port = 2222) {
    this.#port = port;
  }

  send(from: "client" | "server", payload: Bytes): number {
    const ports = { sourcePort: 50_000, destinationPort: this.#port };
    const isClient = from === "client";
    const segment = tcp({
      sourcePort: isClient ? ports.sourcePort : ports.destinationPort,
      destinationPort: isClient ? ports.destinationPort : ports.sourcePort,
      sequence: this.#sent[from],
      payload,
    });
    const [source, destination] = isClient ? ["10.0.0.1", "10.0.0.2"] : ["10.0.0.2", "10.0.0.1"];
    this.#sent[from] += payload.length;
    this.decoding.take(
      frameOf(ethernet(0x0800, ipv4({ protocol: 6, source, destination, payload: segment }))),
    );
    return this.decoding.packet.fault;
  }

  /** The client's next bytes are retransmitted ones. */
  rewind(length: number): void {
    this.#sent.client -= length;
  }

  get facts() {
    const { facts, number } = this.decoding.packet;
    return facts.ssh?.packet === number ? facts.ssh : undefined;
  }
}

describe("an SSH side", () => {
  it("says what it is, and its fingerprint", () => {
    const connection = new Connection();
    connection.send("client", bytes("SSH-2.0-Go\r\n"));
    expect(connection.facts).toMatchObject({ side: "client", version: "2.0", software: "go" });
    connection.send("server", bytes("SSH-1.99-OpenSSH_9.2p1 Debian-2\r\n", kexinit()));
    expect(connection.facts).toMatchObject({
      side: "server",
      version: "1.99",
      software: "openssh_9.2p1",
      hassh: md5("kex;s2c;mac-s;comp-s"),
    });
    connection.send("client", kexinit());
    expect(connection.facts?.hassh).toBe(md5("kex;c2s;mac-c;comp-c"));
    const { decoding } = connection;
    expect(decoding.tally("ssh.hassh")).toEqual({ [md5("kex;c2s;mac-c;comp-c")]: 1 });
    expect(decoding.tally("ssh.hassh_server")).toEqual({ [md5("kex;s2c;mac-s;comp-s")]: 1 });
    for (const side of ["client", "server"]) {
      expect(decoding.value("nam_ssh_handshakes_total", { side })).toBe(1);
    }
    expect(decoding.value("nam_ssh_banners_total", { side: "client", software: "go" })).toBe(1);
    expect(decoding.value("nam_ssh_banners_total", { side: "server", software: "openssh" })).toBe(
      1,
    );
  });

  it("that repeats itself counts once", () => {
    const connection = new Connection();
    const banner = bytes("SSH-2.0-Go\r\n", kexinit());
    connection.send("client", banner);
    connection.rewind(banner.length);
    connection.send("client", banner);
    expect(connection.decoding.value("nam_ssh_handshakes_total")).toBe(1);
  });

  it("is read from segments of any length", () => {
    const stream = bytes("SSH-2.0-paramiko_3.4\n", kexinit([...LISTS].fill("x".repeat(900), 2, 4)));
    for (const length of [4, 300, 700, 1448]) {
      const connection = new Connection();
      const first = length * 7 < stream.length ? stream.length - length * 6 : length;
      connection.send("client", stream.subarray(0, first));
      for (let at = first; at < stream.length; at += length) {
        connection.send("client", stream.subarray(at, at + length));
      }
      expect(connection.facts?.hassh).toBe(md5(`kex;${"x".repeat(900)};mac-c;comp-c`));
    }
  });

  it("is the server on port 22, whoever was heard first", () => {
    const connection = new Connection(22);
    connection.send("server", bytes("SSH-2.0-dropbear\r\n"));
    expect(connection.facts?.side).toBe("server");
  });

  it.each([
    ["libssh_0.9.6", "libssh"],
    ["libssh2_1.11.0", "libssh2"],
    ["PuTTY_Release_0.78", "putty"],
    ["Cisco-1.25", "cisco"],
    ["something", "other"],
  ])("with software %s counts as %s", (software, family) => {
    const connection = new Connection();
    connection.send("client", bytes(`SSH-2.0-${software}\r\n`));
    const labels = { side: "client", software: family };
    expect(connection.decoding.value("nam_ssh_banners_total", labels)).toBe(1);
  });

  it("shows no raw bytes of a hostile banner", () => {
    const connection = new Connection();
    connection.send("client", bytes('SSH-2.0-Evil"\u0000\u00ff\r\n'));
    expect(connection.facts?.software).toBe('evil"\\000\\255');
  });

  it.each([
    ["a banner without an end", bytes("SSH-2.0-", new Uint8Array(300).fill(0x41))],
    ["a list past its packet", bytes("SSH-2.0-x\n", kexinit().with(22, 0xff))],
  ])("with %s is malformed", (_name, payload) => {
    expect(new Connection().send("client", payload)).toBe(Stop.MALFORMED);
  });

  it("with a KEXINIT longer than any is given up", () => {
    const connection = new Connection();
    connection.send("client", bytes("SSH-2.0-x\n", hex("0000ffff 04 14")));
    const labels = { reason: "bytes" };
    expect(connection.decoding.value("nam_ssh_reassembly_given_up_total", labels)).toBe(1);
  });
});
