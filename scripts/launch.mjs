// SPDX-License-Identifier: AGPL-3.0-or-later
import { spawn } from "node:child_process";
import { join } from "node:path";
import { root } from "./prepare.mjs";

/**
 * Runs the program in the foreground: same terminal, same signals, and this process ends as the program ended.
 * Ctrl-C on a terminal reaches the program by itself; SIGINT from elsewhere is handed on.
 */
export function launch(args) {
  const child = spawn(process.execPath, [join(root, "dist/main.js"), ...args], {
    stdio: "inherit",
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]) {
    process.on(signal, () => {
      if (signal === "SIGINT" && process.stdin.isTTY) return;
      child.kill(signal);
    });
  }
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
