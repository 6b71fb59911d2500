// SPDX-License-Identifier: AGPL-3.0-or-later
import { readFileSync } from "node:fs";
import { messageOf, NamError } from "../util/errors.ts";

/** What became of the process's account. */
export interface PrivilegeDrop {
  /** Account the process changed to, or null where it did not. */
  readonly account: string | null;
  /** Why it did not; null where it did. */
  readonly reason: string | null;
}

// prctl(2), linux/prctl.h
const PR_SET_NO_NEW_PRIVS = 38;
const PR_CAP_AMBIENT = 47;
const PR_CAP_AMBIENT_CLEAR_ALL = 4;
// capset(2), linux/capability.h: two sets of three words, all zero for no capability at all.
const LINUX_CAPABILITY_VERSION_3 = 0x20080522;
const CAPABILITY_WORDS = 6;

/**
 * Gives up for good what opening a capture needed. Root becomes `user`, a name or numbers as `65534:65534`, and leaves
 * all groups; a process that is not root stays who it is. On Linux the capabilities go as well, and no program started
 * from here on can gain any. Load and open everything first: files may be out of reach afterwards.
 * Throws CONFIG_INVALID where there is no such account and INTERNAL where something could not be given up.
 */
export async function dropPrivileges(user = "nobody"): Promise<PrivilegeDrop> {
  const outcome = changeAccount(user);
  if (process.platform === "linux") await dropCapabilities();
  return outcome;
}

function changeAccount(user: string): PrivilegeDrop {
  if (process.geteuid?.() !== 0) return { account: null, reason: "the process is not root" };
  const { uid, gid } = findAccount(user);
  if (uid === 0) return { account: null, reason: `the account ${user} is root` };
  try {
    process.setgroups?.([]);
    process.setgid?.(gid);
    process.setuid?.(uid);
  } catch (error) {
    // A container may keep root from changing at all; then it is root of little.
    return { account: null, reason: `the system does not allow it: ${messageOf(error)}` };
  }
  if (process.getuid?.() !== uid || process.getgid?.() !== gid || canBecomeRoot()) {
    throw new NamError("INTERNAL", `changing to the account ${user} did not take effect`);
  }
  return { account: user, reason: null };
}

function canBecomeRoot(): boolean {
  try {
    process.setuid?.(0);
    return true;
  } catch {
    return false;
  }
}

function findAccount(user: string): { uid: number; gid: number } {
  const numbers = /^(\d+)(?::(\d+))?$/.exec(user);
  if (numbers) return { uid: Number(numbers[1]), gid: Number(numbers[2] ?? numbers[1]) };
  for (const line of accountLines()) {
    const [name, , uid, gid] = line.split(":");
    if (name === user) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new NamError(
    "CONFIG_INVALID",
    `there is no account "${user}" in /etc/passwd: set capture.user to one, or to numbers as 65534:65534`,
  );
}

function accountLines(): readonly string[] {
  try {
    return readFileSync("/etc/passwd", "utf8").split("\n");
  } catch {
    return [];
  }
}

/** Of this thread, the one that reads packets; a change of account has done it for all. */
async function dropCapabilities(): Promise<void> {
  const { loadLibc } = await import("./libc.ts");
  const libc = loadLibc();
  libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  libc.capset(new Uint32Array([LINUX_CAPABILITY_VERSION_3, 0]), new Uint32Array(CAPABILITY_WORDS));
  libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  const status = readFileSync("/proc/self/status", "utf8");
  if (!/^CapPrm:\s*0+$/m.test(status) || !/^NoNewPrivs:\s*1$/m.test(status)) {
    throw new NamError("INTERNAL", "the process's capabilities could not be given up");
  }
}
