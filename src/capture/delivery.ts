// SPDX-License-Identifier: AGPL-3.0-or-later
import { FramesAhead } from "./look-ahead.ts";
import { emptyFrame, type Frame, type FrameSink, type LookAhead } from "./source.ts";

/** One run of a source: the frame it reuses, the sink it fills and what it has delivered. */
export class Delivery {
  readonly frame: Frame = emptyFrame();
  readonly sink: FrameSink;
  readonly ahead: FramesAhead;
  /** Frames given to the sink. */
  delivered = 0;
  /** Set by anyone, the sink included; no frame is delivered while it is true. */
  stopped = false;

  constructor(sink: FrameSink, lookAhead?: LookAhead) {
    this.sink = sink;
    this.ahead = new FramesAhead(lookAhead);
  }
}
