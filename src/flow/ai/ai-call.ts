// SPDX-License-Identifier: AGPL-3.0-or-later

/** What carried a call: HTTP/1.1 over TLS, another protocol over TLS (calls side by side look like one), QUIC, or HTTP/1.x in clear text. */
export const AI_TRANSPORTS = ["tls_h1", "tls_other", "quic", "plain"] as const;
export const QUIC_TRANSPORT = 2;
export const PLAIN_TRANSPORT = 3;

/** Row of a flow whose name is no provider's. */
export const NO_PROVIDER = -1;

/**
 * A call to a provider, or to anyone whose reply was a token stream, or in clear text a model's. One reused object, valid while a tracker is told.
 * Addresses as in Packet; times are milliseconds of flow time.
 */
export interface AiCall {
  client0: number;
  client1: number;
  client2: number;
  client3: number;
  server0: number;
  server1: number;
  server2: number;
  server3: number;
  serverPort: number;
  /** Position in AI_TRANSPORTS. */
  transport: number;
  /** Row of FlowNames, NO_PROVIDER for none. */
  row: number;
  /** Server name of the ClientHello or the Host field, and the client's family by the former; empty without one. */
  host: string;
  family: string;
  startMs: number;
  /** When the reply's last byte came. */
  endMs: number;
  /** Of the client since the server's last byte, and of the server; with the headers of records, or of HTTP. */
  upBytes: number;
  downBytes: number;
  /** From the first byte of the request to the first of the reply, or in clear text of its body. */
  ttftMs: number;
  /** True where the reply has the shape of a token stream. */
  isStream: boolean;
}

export function emptyAiCall(): AiCall {
  return {
    ...{ client0: 0, client1: 0, client2: 0, client3: 0 },
    ...{ server0: 0, server1: 0, server2: 0, server3: 0, serverPort: 0 },
    ...{ transport: 0, row: NO_PROVIDER, host: "", family: "" },
    ...{ startMs: 0, endMs: 0, upBytes: 0, downBytes: 0, ttftMs: 0, isStream: false },
  };
}
