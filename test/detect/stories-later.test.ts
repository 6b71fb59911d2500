// SPDX-License-Identifier: AGPL-3.0-or-later
// Packets through the whole agent: what hides, and what is only found by who knows what is usual.
import { later } from "./stories/all.ts";
import { tell } from "./stories/tell.ts";

tell(later);
