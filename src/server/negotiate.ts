// SPDX-License-Identifier: AGPL-3.0-or-later

interface Preference {
  readonly name: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

/**
 * True when the client would rather have OpenMetrics 1.0 than the text format, by its Accept header (RFC 9110
 * section 12.5.1). A client that says nothing usable gets text.
 */
export function prefersOpenMetrics(accept: string | undefined): boolean {
  let openMetrics = 0;
  let text = 0;
  for (const { name, parameters, quality } of preferences(accept)) {
    if (name === "application/openmetrics-text") {
      const version = parameters.get("version") ?? "1.0.0";
      if (version === "1.0.0") openMetrics = Math.max(openMetrics, quality);
    } else if (name === "text/plain") {
      text = Math.max(text, quality);
    }
  }
  return openMetrics > 0 && openMetrics >= text;
}

/** True when the client takes gzip (RFC 9110 section 12.5.3). */
export function acceptsGzip(acceptEncoding: string | undefined): boolean {
  const codings = preferences(acceptEncoding);
  const named = codings.find(({ name }) => name === "gzip" || name === "x-gzip");
  const chosen = named ?? codings.find(({ name }) => name === "*");
  return (chosen?.quality ?? 0) > 0;
}

function preferences(header: string | undefined): Preference[] {
  if (!header) return [];
  return header.split(",").map((item) => {
    const [name = "", ...rest] = item.split(";").map((part) => part.trim().toLowerCase());
    const parameters = new Map(
      rest.map((part) => {
        const [key = "", value = ""] = part.split("=");
        return [key.trim(), value.trim().replace(/^"(.*)"$/, "$1")];
      }),
    );
    const quality = Number(parameters.get("q") ?? "1");
    return { name, parameters, quality: Number.isFinite(quality) ? quality : 0 };
  });
}
