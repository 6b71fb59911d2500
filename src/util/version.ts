// SPDX-License-Identifier: AGPL-3.0-or-later
import { existsSync, readFileSync } from "node:fs";

/** What runs. */
export interface ProductBuild {
  readonly version: string;
  /** Commit it was made from, or `unknown`. */
  readonly revision: string;
  /** Where its source code is, null where the package does not say. */
  readonly sourceUrl: string | null;
}

/** Version, revision and source of this product: from its package, and from a `REVISION` file or git beside it. */
export function productBuild(): ProductBuild {
  const { version, homepage } = readPackage();
  return { version, revision: revision(), sourceUrl: homepage ?? null };
}

function readPackage(): { readonly version: string; readonly homepage?: string } {
  return JSON.parse(read("package.json") ?? "") as { version: string; homepage?: string };
}

/** An image is built with a REVISION file; a working tree has git's own. */
function revision(): string {
  const head = read("REVISION") ?? read(".git/HEAD");
  const branch = /^ref: (\S+)/.exec(head ?? "")?.[1];
  if (!branch) return head?.trim() || "unknown";
  const packed = read(".git/packed-refs")?.match(new RegExp(`^([0-9a-f]+) ${branch}$`, "m"))?.[1];
  return (read(`.git/${branch}`)?.trim() ?? packed) || "unknown";
}

/** The folder that holds package.json: above `src/` as above `dist/`, which has one of its own that says how it is loaded. */
function productFolder(): URL {
  let folder = new URL("../", import.meta.url);
  while (!existsSync(new URL("package.json", folder)) && folder.pathname !== "/") {
    folder = new URL("../", folder);
  }
  return folder;
}

/** A file of the product, or null where it is not there. */
function read(path: string): string | null {
  try {
    return readFileSync(new URL(path, productFolder()), "utf8");
  } catch {
    return null;
  }
}
