// SPDX-License-Identifier: AGPL-3.0-or-later

/** First line of every generated document. */
export const NOTE = "<!-- Made from the code by `npm run docs`; changes here are lost. -->";

export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [headings, headings.map(() => "---"), ...rows];
  return lines.map((cells) => `| ${cells.map(cell).join(" | ")} |`).join("\n");
}

export function code(text: string): string {
  return text === "" ? '`""`' : `\`${text}\``;
}

/** Parts of a document, a blank line between them. */
export function page(...parts: readonly string[]): string {
  return `${[NOTE, ...parts].join("\n\n")}\n`;
}

/** A sentence as such: first letter large, full stop at the end. */
export function sentence(text: string): string {
  const large = text.charAt(0).toUpperCase() + text.slice(1);
  return large === "" || /[.!?:]$/.test(large) ? large : `${large}.`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}
