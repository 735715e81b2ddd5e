// CRLs of any size, made from one entry that is written again and again: a million in a fraction of a second.
import { randomFillSync } from 'node:crypto';
import { createAuthority, daysFromTestTime, der } from '@peercert/testkit';
import { once } from './inputs.mjs';

/** A CRL, and serial numbers to look for. */
export interface TestCrl {
  readonly der: Buffer;
  /** Serial numbers, every other one in the list. */
  readonly questions: readonly Buffer[];
}

export const crlIssuer = createAuthority({ subject: 'CN=CRL issuer' });

const serialOctets = 16;
const questions = 20_000;

/** An entry without extensions and one with a reason (RFC 5280 section 5.1), which take turns. */
const entries = [false, true].map((hasReason) => {
  const reasonCode = der.sequence(der.oid('2.5.29.21'), der.octetString(Buffer.of(0x0a, 1, 1)));
  const serial = der.integer(Buffer.alloc(serialOctets, 0x40));
  const time = der.utcTime(daysFromTestTime(-30));
  return hasReason ? der.sequence(serial, time, der.sequence(reasonCode)) : der.sequence(serial, time);
});

/** Behind the headers of the entry and of the INTEGER. */
const serialStart = 4;

/** Random serial numbers, positive and in no fewer octets than they have, one behind the other. */
function randomSerials(count: number): Buffer {
  const serials = randomFillSync(Buffer.alloc(count * serialOctets));
  for (let at = 0; at < serials.length; at += serialOctets) {
    serials[at] = ((serials[at] as number) & 0x3f) | 0x40;
  }
  return serials;
}

function mint(count: number): TestCrl {
  const pair = Buffer.concat(entries);
  const list = Buffer.alloc((count / entries.length) * pair.length, pair);
  const serials = randomSerials(count);
  const lengths = entries.map(({ length }) => length) as [number, number];
  for (let index = 0, at = serialStart; index < count; at += lengths[index++ % 2] as number) {
    serials.copy(list, at, index * serialOctets, (index + 1) * serialOctets);
  }
  return {
    der: crlIssuer.crl({ raw: { revokedCertificates: der.tlv(0x30, list) } }),
    questions: questionsOver(serials),
  };
}

/** Serial numbers from all over the list, and as many that are not in it. */
function questionsOver(listed: Buffer): readonly Buffer[] {
  const count = listed.length / serialOctets;
  const strange = randomSerials(Math.min(count, questions / 2));
  const step = Math.max(1, Math.floor(count / (questions / 2)));
  const serialAt = (serials: Buffer, index: number): Buffer =>
    Buffer.from(serials.subarray(index * serialOctets, (index + 1) * serialOctets));
  return Array.from({ length: strange.length / serialOctets }, (_, index) => [
    serialAt(listed, index * step),
    serialAt(strange, index),
  ]).flat();
}

const minted = new Map<number, () => TestCrl>();

/** The CRL with so many entries, an even number; minted once in this process. */
export function crlWith(count: number): TestCrl {
  let made = minted.get(count);
  if (made === undefined) minted.set(count, (made = once(() => mint(count))));
  return made();
}
