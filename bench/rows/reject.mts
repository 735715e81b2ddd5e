import { cloudFrontHeaders } from '@peercert/testkit';
import {
  type Client,
  createHierarchy,
  createOrigin,
  p256,
  refuse,
  type Request,
  requestsOf,
  requestWith,
} from '../inputs.mjs';
import { alternate, type Task } from '../measure.mjs';
import type { Row } from '../row.mjs';
import { type Question, unseen, verifyTask } from '../tasks.mjs';

const strangers = 2_000;

function refusing(requests: readonly Request[], code: string): Task<Question> {
  const { root } = p256();
  return {
    next: unseen(requests, () => createOrigin([root.der])),
    run: ({ authenticator, request }) => refuse(authenticator, request, code),
  };
}

/** Three ways in turn to break the grammar of `Client-Cert` without changing its size. */
function malformed(client: Client, index: number): Request {
  const [[name, value], chain] = cloudFrontHeaders(client) as [[string, string], [string, string]];
  const broken = [
    `${value.slice(0, -1)};`,
    `${value.slice(0, -9)}*${value.slice(-8)}`,
    `${value.slice(0, 200)}:${value.slice(201)}`,
  ];
  return requestWith([[name, broken[index % broken.length] as string], chain], index);
}

export const reject: readonly Row[] = [
  {
    id: 'reject.unknown-issuer',
    what: 'authenticate, unseen certificate of a foreign CA',
    other: 'one P-256 crypto.verify',
    target: 0.4,
    better: 'lower',
    unit: 'µs',
    measure() {
      const requests = requestsOf(createHierarchy('p256', strangers).clients);
      return alternate(refusing(requests, 'ERR_PATH_ISSUER_UNKNOWN'), verifyTask(p256()));
    },
  },
  {
    id: 'reject.malformed',
    what: 'authenticate, malformed header of the same size',
    other: 'one P-256 crypto.verify',
    target: 0.1,
    better: 'lower',
    unit: 'µs',
    measure() {
      const requests = p256().clients.slice(0, strangers).map(malformed);
      return alternate(refusing(requests, 'ERR_HEADER_MALFORMED'), verifyTask(p256()));
    },
  },
];
