// SPDX-License-Identifier: AGPL-3.0-or-later
// Real HTTP clients of every protocol of agents and language models, with secrets in everything that they say.
import http from "node:http";

const BOTH = { accept: "application/json, text/event-stream" };
const JSON_TYPE = { "content-type": "application/json" };

/** What must never be told, by what it is. */
export const CANARIES = {
  prompt: "canary-prompt-7c1f",
  key: "canary-key-a90d",
  tool: "canary_tool_5be2",
  argument: "canary-argument-31aa",
  session: "canary-session-d04c",
  resource: "canary-resource-88f1",
  model: "canary-model-6e3b",
  answer: "canary-answer-f25d",
  method: "unknown/canary-method-0b7a",
  run: "canary-run-c3c3",
  cookie: "canary-cookie-19e8",
  agent: "canary-user-agent-4d4d",
  query: "canary-query-b6b6",
  header: "canary-header-e27a",
  member: "canary-member-2d90",
  user: "canary-user-5a5a",
  referer: "canary-referer-f00f",
} as const;

const { prompt, key, tool, argument, session, resource, model, method, run } = CANARIES;
const SECRET_HEADERS = {
  authorization: `Bearer ${key}`,
  cookie: `sid=${CANARIES.cookie}`,
  "user-agent": CANARIES.agent,
};

type Headers = Readonly<Record<string, string>>;

/** Connects to one server, one keep-alive connection at a time. */
export class AgentClient {
  readonly #port: number;
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  readonly #streams: http.ClientRequest[] = [];

  constructor(port: number) {
    this.#port = port;
  }

  close(): void {
    for (const stream of this.#streams) stream.destroy();
    this.#agent.destroy();
  }

  async mcpStream(): Promise<void> {
    await this.#rpc("/mcp", "initialize", { clientInfo: { name: tool } }, BOTH);
    const headers = { ...BOTH, "mcp-protocol-version": "2025-11-25", "mcp-session-id": session };
    await this.#rpc("/mcp", "notifications/initialized", {}, headers, true);
    await this.#ask("GET", "/mcp", { ...headers, accept: "text/event-stream" });
    await this.#rpc("/mcp", "tools/list", {}, headers);
    await this.#rpc("/mcp", "tools/call", { name: tool, arguments: { x: argument } }, headers);
    await this.#rpc("/mcp", "resources/read", { uri: `file:///${resource}` }, headers);
    await this.#rpc("/mcp", method, { prompt }, headers);
    await this.#ask("DELETE", "/mcp", headers);
  }

  async mcpLegacy(): Promise<void> {
    const endpoint = await this.#openStream("/sse");
    await this.#rpc(endpoint, "initialize", { clientInfo: { name: tool } });
    await this.#rpc(endpoint, "notifications/initialized", {}, {}, true);
    await this.#rpc(endpoint, "tools/call", { name: tool, arguments: { x: argument } });
    await this.#rpc(endpoint, method, { prompt });
  }

  async mcp2026(): Promise<void> {
    const headers = (name: string, more: Headers = {}): Headers => ({
      ...BOTH,
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": name,
      ...more,
    });
    const encoded = `=?base64?${Buffer.from(`${tool} ä`).toString("base64")}?=`;
    await this.#rpc("/mcp", "server/discover", {}, headers("server/discover"));
    await this.#rpc("/mcp", "tools/list", {}, headers("tools/list"));
    const call = headers("tools/call", { "mcp-name": encoded, "mcp-param-x": argument });
    await this.#rpc("/mcp", "tools/call", { name: `${tool} ä`, arguments: { x: argument } }, call);
    const uri = `file:///${resource}`;
    await this.#rpc(
      "/mcp",
      "resources/read",
      { uri },
      headers("resources/read", { "mcp-name": uri }),
    );
    await this.#rpc("/mcp", method, { prompt }, headers(method));
    // What the header names is harmless, and what the body asks for is not.
    const deceit = headers("tools/call", { "mcp-name": "read_file" });
    await this.#rpc("/mcp", "tools/call", { name: tool }, deceit);
  }

  async a2aOld(): Promise<void> {
    await this.#ask("GET", "/.well-known/agent.json", {});
    const message = { message: { parts: [{ text: prompt }], contextId: session } };
    await this.#rpc("/rpc", "message/send", message);
    await this.#rpc("/rpc", "message/stream", message);
    await this.#rpc("/rpc", "tasks/get", { id: session });
  }

  async a2aNew(): Promise<void> {
    const version = { "a2a-version": "1.0" };
    await this.#ask("GET", "/.well-known/agent-card.json", version);
    const message = { message: { parts: [{ text: prompt }], contextId: session } };
    await this.#rpc("/rpc", "SendMessage", message, version);
    await this.#rpc("/rpc", method, message, version);
    await this.#ask("POST", "/v1/message:send", { ...version, ...JSON_TYPE }, message);
    await this.#ask("GET", `/v1/tasks/${session}`, version);
  }

  async acp(): Promise<void> {
    await this.#ask("GET", "/agents", {});
    await this.#ask("POST", "/runs", JSON_TYPE, { agent: tool, input: prompt });
    await this.#ask("GET", `/runs/${run}`, {});
    await this.#ask("GET", `/session/${session}`, {});
  }

  async openai(): Promise<void> {
    const body = { messages: [{ role: "user", content: prompt }], model, stream: true };
    const headers = { ...JSON_TYPE, ...SECRET_HEADERS };
    await this.#ask("POST", `/v1/chat/completions?user=${CANARIES.query}`, headers, body);
    await this.#ask("POST", "/v1/embeddings", { ...headers, "x-api-key": key }, { input: prompt });
    await this.#ask("GET", "/v1/models", {});
  }

  async anthropic(): Promise<void> {
    const headers = { ...JSON_TYPE, "anthropic-version": "2023-06-01", "x-api-key": key };
    await this.#ask("POST", "/v1/messages", headers, { model, messages: [{ content: prompt }] });
  }

  async ollama(): Promise<void> {
    await this.#ask("GET", "/api/tags", {});
    await this.#ask("POST", "/api/chat", JSON_TYPE, { model, messages: [{ content: prompt }] });
    await this.#ask("POST", "/v1/chat/completions", JSON_TYPE, { model, messages: [] });
  }

  /** Secrets where nobody looks for them: names of headers and of members, a user in the URL, where one comes from. */
  async hidden(): Promise<void> {
    const { header, member, user, referer, query } = CANARIES;
    const headers = {
      ...{ ...JSON_TYPE, ...SECRET_HEADERS, [header]: header, referer: `http://a/${referer}` },
      ...{ "proxy-authorization": `Basic ${key}`, "last-event-id": session },
      ...{ "x-stainless-runtime": CANARIES.agent },
    };
    const tools = [
      { type: "function", function: { name: tool, [member]: { [member]: argument } } },
    ];
    const body = { [member]: prompt, tools, model, jsonrpc: "2.0", id: session, params: { user } };
    const paths = ["/v1/embeddings", "/v1/models"];
    for (const path of paths) {
      const url = `http://${user}:${key}@a${path}?${query}`;
      await this.#ask("POST", url, headers, body);
    }
    await this.#ask("GET", `/mcp/${tool}/${argument}?sessionId=${session}`, {
      ...headers,
      "mcp-session-id": session,
    });
    await this.#ask("POST", `/${resource}`, { ...headers, "content-type": `text/${member}` }, body);
  }

  /** A metadata service of a cloud: a token, and credentials with it and without. */
  async metadata(): Promise<void> {
    const token = "x-aws-ec2-metadata-token";
    await this.#ask("PUT", "/latest/api/token", { [`${token}-ttl-seconds`]: "60" });
    await this.#ask("GET", `/latest/meta-data/iam/${CANARIES.run}`, { [token]: key });
    await this.#ask("GET", `/latest/meta-data/iam/${CANARIES.run}`, {});
  }

  /** A session over a WebSocket, whose frames hold secrets both ways. */
  realtime(): Promise<void> {
    return new Promise((resolve, reject) => {
      const request = http.get({
        ...{
          port: this.#port,
          host: "127.0.0.1",
          path: `/v1/realtime?model=${model}`,
          agent: false,
        },
        headers: {
          ...{ connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13" },
          ...{ "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==", ...SECRET_HEADERS },
        },
      });
      request.on("error", reject);
      request.on("upgrade", (_, socket) => {
        const text = Buffer.from(prompt);
        socket.write(Buffer.concat([Buffer.from([0x81, text.length]), text]));
        socket.on("data", () => {}).on("close", () => resolve());
      });
    });
  }

  #rpc(
    path: string,
    name: string,
    params: object,
    headers: Headers = {},
    isNote = false,
  ): Promise<void> {
    const id = isNote ? {} : { id: 1 };
    const message = { method: name, params, jsonrpc: "2.0", ...id };
    return this.#ask("POST", path, { ...JSON_TYPE, ...headers }, message);
  }

  #ask(verb: string, path: string, headers: Headers, body?: object): Promise<void> {
    return new Promise((resolve, reject) => {
      const options = { method: verb, host: "127.0.0.1", port: this.#port, path, headers };
      const request = http.request({ ...options, agent: this.#agent }, (response) => {
        response.on("end", resolve).on("error", reject).resume();
      });
      request.on("error", reject).end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** Opens a stream of events and leaves it open; resolves with the endpoint that its first event names. */
  #openStream(path: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const options = { host: "127.0.0.1", port: this.#port, path, agent: false as const };
      const headers = { accept: "text/event-stream" };
      const request = http.get({ ...options, headers }, (response) => {
        response.setEncoding("utf8").on("error", () => {});
        response.on("data", (text: string) => {
          const [, endpoint] = /data: (\S+)/.exec(text) ?? [];
          if (endpoint !== undefined) resolve(endpoint);
        });
      });
      request.on("error", reject);
      this.#streams.push(request);
    });
  }
}
