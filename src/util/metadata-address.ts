// SPDX-License-Identifier: AGPL-3.0-or-later
import { V4_MAPPED_WORD2 } from "./address.ts";

/** 169.254.169.254 (AWS, Azure, Google and others), 100.100.100.200 (Alibaba), fd00:ec2::254 (AWS). */
const LINK_LOCAL = 0xa9fea9fe | 0;
const ALIBABA = 0x646464c8;
const AWS_WORD0 = 0xfd000ec2 | 0;
const AWS_WORD3 = 0x254;

/** True for the addresses at which clouds' metadata services are reached, as words of util/address.ts. */
export function isMetadataAddress(
  word0: number,
  word1: number,
  word2: number,
  word3: number,
): boolean {
  if (word3 === LINK_LOCAL || word3 === ALIBABA) {
    return word0 === 0 && word1 === 0 && word2 === V4_MAPPED_WORD2;
  }
  return word3 === AWS_WORD3 && word0 === AWS_WORD0 && word1 === 0 && word2 === 0;
}
