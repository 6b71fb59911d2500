// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { AI_PAIRS, AI_PROVIDERS, CATEGORIES, pairOf } from "../../../src/flow/ai/pairs.ts";
import { PROVIDER_ROWS } from "../../../src/flow/ai/provider-table.ts";
import { AiProviders } from "../../../src/flow/ai/providers.ts";
import { aiNames } from "../../../src/flow/ai/settings.ts";

const providers = new AiProviders();

function answer(name: string, of = providers): string {
  const row = of.find(name);
  return row < 0 ? "none" : `${of.provider(row)} ${of.category(row)}`;
}

/** A host name that is in use for each pattern and suffix, from the vendor's documentation or SDK where it has it. */
const REAL_HOSTS: Readonly<Record<string, string>> = {
  "^[a-z0-9-]+-aiplatform\\.googleapis\\.com$": "us-central1-aiplatform.googleapis.com",
  "^bedrock-(agent-)?runtime(-fips)?\\.[a-z0-9-]+\\.amazonaws\\.com$":
    "bedrock-runtime.us-east-1.amazonaws.com",
  "^bedrock-mantle\\.[a-z0-9-]+\\.api\\.aws$": "bedrock-mantle.us-west-2.api.aws",
  "^bedrock(-fips)?\\.[a-z0-9-]+\\.amazonaws\\.com$": "bedrock.eu-central-1.amazonaws.com",
  "^bedrock-agentcore-control\\.[a-z0-9-]+\\.amazonaws\\.com$":
    "bedrock-agentcore-control.us-east-1.amazonaws.com",
  ".openai.azure.com": "contoso.openai.azure.com",
  ".services.ai.azure.com": "contoso.services.ai.azure.com",
  ".models.ai.azure.com": "contoso.eastus2.models.ai.azure.com",
  ".oaiusercontent.com": "files.oaiusercontent.com",
  ".oaistatic.com": "cdn.oaistatic.com",
  ".api.baseten.co": "model-abc.api.baseten.co",
  ".githubcopilot.com": "api.individual.githubcopilot.com",
  ".cursor.sh": "agent.api5.cursor.sh",
  ".codeium.com": "server.codeium.com",
  ".windsurf.com": "server.self-serve.windsurf.com",
  ".grazie.aws.intellij.net": "api.app.prod.grazie.aws.intellij.net",
  ".hf.space": "someone-demo.hf.space",
  ".pinecone.io": "index-abc.svc.us-east-1-aws.pinecone.io",
  ".cloud.qdrant.io": "xyz.eu-central.aws.cloud.qdrant.io",
  ".weaviate.cloud": "abc.c0.europe-west3.gcp.weaviate.cloud",
  ".e2b.app": "api.e2b.app",
  ".smith.langchain.com": "api.smith.langchain.com",
  ".openai.com": "auth.openai.com",
  ".oaistatsig.com": "api.oaistatsig.com",
  ".claude.com": "code.claude.com",
  // An artifact, and an MCP server's interface, each in an origin of its own.
  ".claudeusercontent.com": "c55d6c2c-f048-44f3-94ef-96a793e74b0c.claudeusercontent.com",
  ".claudemcpcontent.com": "ee8f5203b9b3d186c660c802e340f19c.claudemcpcontent.com",
  ".anthropic.com": "console.anthropic.com",
  ".mistral.ai": "console.mistral.ai",
  ".deepseek.com": "chat.deepseek.com",
  ".x.ai": "console.x.ai",
  ".perplexity.ai": "www.perplexity.ai",
  ".pplx.ai": "labs.pplx.ai",
  ".huggingface.co": "cdn-lfs.huggingface.co",
  ".hf.co": "cas-bridge.xethub.hf.co",
  ".bfl.ai": "api.bfl.ai",
  ".elevenlabs.io": "api.us.elevenlabs.io",
  ".copilot.com": "www.copilot.com",
  ".cursorapi.com": "marketplace.cursorapi.com",
  ".cursor.com": "downloads.cursor.com",
  ".codeiumdata.com": "windsurf-stable.codeiumdata.com",
  ".windsurf.build": "someones-app.windsurf.build",
  ".jetbrains.ai": "api.jetbrains.ai",
  ".grazie.ai": "auth.grazie.ai",
  ".devin.ai": "app.devin.ai",
  ".poe.com": "api.poe.com",
  ".poecdn.net": "qph.cf2.poecdn.net",
  ".ollama.ai": "registry.ollama.ai",
  ".lmstudio.ai": "installers.lmstudio.ai",
  ".e2b.dev": "api.e2b.dev",
  ".cloud.langfuse.com": "us.cloud.langfuse.com",
};

/** Suffixes that are a host themselves, or of which the vendor documents no name but `*.`. */
const HOSTS_THEMSELVES: ReadonlySet<string> = new Set([
  ...[".chatgpt.com", ".chat.com", ".sora.com", ".claude.ai"],
  ...[".gemini.google.com", ".aistudio.google.com", ".notebooklm.google.com", ".jules.google.com"],
  ...[".gemini.google", ".ai.studio", ".grok.com", ".elevenlabs.com", ".ollama.com"],
  ...[".cursor-cdn.com"],
]);

const patterns = PROVIDER_ROWS.flatMap((line) => {
  const [provider = "", category = "", ...names] = line.split(" ");
  return names.map((name) => [name, `${provider} ${category}`] as const);
});

describe("the provider table", () => {
  it.each(patterns)("%s gives %s", (name, wanted) => {
    const host = REAL_HOSTS[name] ?? name.replace(/^\./, "");
    expect(host).toMatch(/^[a-z0-9.-]+$/);
    expect(answer(host)).toBe(wanted);
  });

  it("has a real host for every name that stands for more than one", () => {
    const open = patterns.map(([name]) => name).filter((name) => /^[.^]/.test(name));
    const told = [...Object.keys(REAL_HOSTS), ...HOSTS_THEMSELVES];
    expect([...told].sort()).toEqual([...open].sort());
    for (const [name, host] of Object.entries(REAL_HOSTS)) {
      if (name.startsWith(".")) expect(host.endsWith(name), host).toBe(true);
    }
  });

  it.each(patterns.filter(([name]) => name.startsWith(".")))(
    "%s gives %s for the domain itself, and nothing for one that only ends alike",
    (name, wanted) => {
      const domain = name.slice(1);
      expect(answer(domain)).toBe(wanted);
      expect(answer(`not${domain}`)).toBe("none");
      expect(answer(`not-${domain}`)).toBe("none");
      expect(answer(`${domain}.example.org`)).toBe("none");
    },
  );

  it("has each name once, and labels that Prometheus takes", () => {
    const names = patterns.map(([name]) => name);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
    for (const label of AI_PROVIDERS) expect(label).toMatch(/^[a-z][a-z0-9_]*$/);
    expect(AI_PAIRS.every(({ category }) => CATEGORIES.includes(category))).toBe(true);
    expect(AI_PROVIDERS.length).toBeLessThanOrEqual(64);
  });
});

describe("a host name", () => {
  it.each([
    ["notopenai.com", "none"],
    ["openai.com.evil.example", "none"],
    ["api.openai.com.", "openai llm_api"],
    ["API.OpenAI.Com", "openai llm_api"],
    ["status.openai.com", "openai chat_app"],
    ["x.api.openai.com", "openai chat_app"],
    ["a.b.c.d.e.f.claude.ai", "anthropic chat_app"],
    ["downloads.claude.ai", "anthropic coding_agent"],
    ["bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "aws_bedrock llm_api"],
    ["bedrock-agent-runtime.ap-southeast-2.amazonaws.com", "aws_bedrock llm_api"],
    ["bedrock-runtime.amazonaws.com", "none"],
    ["x.bedrock-runtime.us-east-1.amazonaws.com", "none"],
    ["bedrock-runtime.us-east-1.amazonaws.com.evil.example", "none"],
    ["aiplatform.googleapis.com.", "google_vertex llm_api"],
    ["storage.googleapis.com", "none"],
    ["github.com", "none"],
    ["copilot-proxy.githubusercontent.com", "github_copilot coding_agent"],
    ["raw.githubusercontent.com", "none"],
    // An international name that looks like openai.com: U+043E for the first letter.
    ["xn--penai-nqf.com", "none"],
    ["оpenai.com", "none"],
    ["\\208\\190penai.com", "none"],
    ["", "none"],
    [".", "none"],
    ["..", "none"],
    [".openai.com", "openai chat_app"],
    [`${"a.".repeat(200)}openai.com`, "none"],
    [`${"a.".repeat(100)}openai.com`, "openai chat_app"],
    ["com", "none"],
  ])("%s is %s", (name, wanted) => {
    expect(answer(name)).toBe(wanted);
  });

  it("of hostile form takes no long time", () => {
    const hostile = [
      `${"-aiplatform".repeat(22)}.`,
      "bedrock-runtime.".repeat(15),
      "-".repeat(253),
    ];
    const started = performance.now();
    for (let i = 0; i < 3_000; i++) for (const name of hostile) expect(answer(name)).toBe("none");
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});

describe("names of the operator's", () => {
  const own = new AiProviders(
    aiNames.parse({
      providers: [
        { provider: "corp_gateway", category: "gateway", suffix: ["llm.corp.example"] },
        { provider: "azure_openai", category: "llm_api", exact: ["gpt.corp.example"] },
        { provider: "openai", category: "mcp", exact: ["mcp.openai.com"] },
      ],
      never: ["status.openai.com", "ollama.com"],
    }),
  );

  it("go before the table", () => {
    expect(answer("eu.llm.corp.example", own)).toBe("corp_gateway gateway");
    expect(answer("gpt.corp.example", own)).toBe("azure_openai llm_api");
    expect(answer("mcp.openai.com", own)).toBe("openai mcp");
    expect(answer("status.openai.com", own)).toBe("none");
    expect(answer("registry.ollama.com", own)).toBe("none");
    expect(answer("api.openai.com", own)).toBe("openai llm_api");
  });

  it("are counted as other where the table does not have their provider and category", () => {
    expect(own.pair(own.find("llm.corp.example"))).toBe(pairOf("other", "gateway"));
    expect(own.pair(own.find("mcp.openai.com"))).toBe(pairOf("other", "mcp"));
    expect(own.pair(own.find("gpt.corp.example"))).toBe(pairOf("azure_openai", "llm_api"));
  });

  it.each(["*.corp.example", "corp", "bücher.example", "10.0.0.1", "a b.example"])(
    "%s is refused",
    (name) => {
      const section = { providers: [{ provider: "x", category: "gateway", exact: [name] }] };
      expect(aiNames.safeParse(section).success).toBe(false);
    },
  );
});
