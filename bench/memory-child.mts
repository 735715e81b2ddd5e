// A process of its own, started by rows/memory.mts: what verdicts add to its resident memory.
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { type Authenticator, encodeClientCert } from '@peercert/core';
import { authenticate, createOrigin, refuse, requestWith } from './inputs.mjs';
import { settledMemory } from './settled-memory.mjs';

/** What the process is told. Certificates in base64. */
export interface MemoryInput {
  /** File with `Client-Cert` and `Client-Cert-Chain` of one client in each line. */
  readonly path: string;
  readonly root: string;
  readonly entries: number;
  /** Lines that come first and are not counted: code is compiled, the heap has its working size. */
  readonly warmUps: number;
  readonly refusalsPerEntry: number;
  /** A client of another authority, to be refused under ever new serial numbers. */
  readonly stranger: { readonly certificate: string; readonly issuer: string };
}

/** Of the 16 octets of a serial number in a certificate of the testkit, the last four. */
const serialNumberEnd = 27;

/** A function that has another certificate refused each time. */
function refuser({ certificate, issuer }: MemoryInput['stranger']): (authenticator: Authenticator) => void {
  const der = Buffer.from(certificate, 'base64');
  const chain = encodeClientCert(Buffer.from(issuer, 'base64'));
  let serialNumber = 0;
  return (authenticator) => {
    der.writeUInt32BE(serialNumber++, serialNumberEnd);
    const request = requestWith([
      ['Client-Cert', encodeClientCert(der)],
      ['Client-Cert-Chain', chain],
    ]);
    refuse(authenticator, request, 'ERR_PATH_ISSUER_UNKNOWN');
  };
}

async function bytesPerEntry(input: MemoryInput): Promise<number> {
  const { path, root, entries, warmUps, refusalsPerEntry, stranger } = input;
  const newOrigin = (): Authenticator =>
    createOrigin([Buffer.from(root, 'base64')], { verdictCache: { maxEntries: entries, ttlSeconds: 3600 } });
  const [warmedUp, authenticator] = [newOrigin(), newOrigin()];
  const refuseOne = refuser(stranger);
  let [before, count] = [0, 0];
  for await (const line of createInterface(createReadStream(path))) {
    if (count === warmUps) before = (await settledMemory()).rss;
    const asked = count++ < warmUps ? warmedUp : authenticator;
    const [certificate, chain] = line.split('\t') as [string, string];
    authenticate(
      asked,
      requestWith([
        ['Client-Cert', certificate],
        ['Client-Cert-Chain', chain],
      ]),
    );
    for (let refusal = 0; refusal < refusalsPerEntry; refusal++) refuseOne(asked);
  }
  const bytes = ((await settledMemory()).rss - before) / entries;
  // What is still in use is not collected before it is measured.
  for (const used of [warmedUp, authenticator]) refuseOne(used);
  return bytes;
}

const [input] = (await once(process, 'message')) as [MemoryInput];
process.send?.(await bytesPerEntry(input));
process.disconnect();
