import type { Row } from '../row.mjs';
import { anchors } from './anchors.mjs';
import { cold } from './cold.mjs';
import { http } from './http.mjs';
import { load } from './load.mjs';
import { loop } from './loop.mjs';
import { memory } from './memory.mjs';
import { peers } from './peers.mjs';
import { reject } from './reject.mjs';
import { warm } from './warm.mjs';

/** Every row, in the order of the table. */
export const rows: readonly Row[] = [
  ...warm,
  ...cold,
  ...reject,
  ...peers,
  ...http,
  ...anchors,
  ...memory,
  ...load,
  ...loop,
];
