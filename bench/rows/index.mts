import type { Row } from '../row.mjs';
import { anchors } from './anchors.mjs';
import { cold } from './cold.mjs';
import { crl } from './crl.mjs';
import { http } from './http.mjs';
import { load } from './load.mjs';
import { loop } from './loop.mjs';
import { memory } from './memory.mjs';
import { peers } from './peers.mjs';
import { reject } from './reject.mjs';
import { trust } from './trust.mjs';
import { warm } from './warm.mjs';

/** Every row, in the order of the table. */
export const rows: readonly Row[] = [
  ...warm,
  ...cold,
  ...reject,
  ...peers,
  ...http,
  ...anchors,
  ...trust,
  ...memory,
  ...load,
  ...loop,
  ...crl,
];
