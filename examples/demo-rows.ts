import type { OutgoingHttpHeaders } from 'node:http';
import { encodeClientCert } from '@peercert/core';
import { cloudFrontHeaders } from '@peercert/testkit';
import type { Answer } from './demo-client';
import type { Credentials, DemoPki } from './pki';

/** One thing a client does, and how every origin it applies to must answer. */
export interface Row {
  readonly row: string;
  /** Default: the viewers' way in, which is the edge or, for an origin without one, the origin. */
  readonly to?: 'straight at the origin';
  /** Default `'/'`, which requires a certificate. */
  readonly path?: '/optional';
  /** Default: no certificate. */
  readonly credentials?: Credentials;
  readonly headers?: OutgoingHttpHeaders;
  readonly expected: Answer;
}

const malformed = { status: 400, code: 'malformed' };
const required = { status: 403, code: 'certificate_required' };
const rejected = { status: 403, code: 'certificate_rejected' };
const anonymous = { status: 200, code: 'anonymous' };

export function demoRows({ viewers, edge, device, otherDevice }: DemoPki): readonly Row[] {
  const forged = Object.fromEntries(cloudFrontHeaders(otherDevice));
  const straight = 'straight at the origin';
  return [
    {
      row: 'valid P-256 client, intermediate sent',
      credentials: viewers.valid,
      expected: identified(1),
    },
    {
      row: 'valid RSA client, four certificates',
      credentials: viewers.rsaWithRoot,
      expected: identified(2),
    },
    {
      row: 'chain in the wrong order with a surplus certificate',
      credentials: viewers.wrongOrderWithSurplus,
      expected: identified(3),
    },
    { row: 'no certificate, required route', expected: required },
    { row: 'no certificate, optional route', path: '/optional', expected: anonymous },
    { row: 'self-signed', credentials: viewers.selfSigned, expected: rejected },
    { row: 'unknown CA with the same names as ours', credentials: viewers.lookAlike, expected: rejected },
    { row: 'expired', credentials: viewers.expired, expected: rejected },
    { row: 'not yet valid', credentials: viewers.notYetValid, expected: rejected },
    { row: 'serverAuth only', credentials: viewers.serverAuthOnly, expected: rejected },
    {
      row: 'issuing intermediate not sent, not configured',
      credentials: viewers.withoutIntermediate,
      expected: rejected,
    },
    {
      row: 'viewer sends its own `Client-Cert` header through the edge, without a certificate',
      headers: forged,
      expected: required,
    },
    {
      row: 'the same, with a valid certificate of somebody else in the header and its own on the connection',
      credentials: viewers.valid,
      headers: forged,
      expected: identified(1),
    },
    {
      row: 'straight at the origin with a genuine valid certificate in the header, no edge certificate',
      to: straight,
      headers: forged,
      expected: required,
    },
    {
      row: "straight at the origin, with a viewer certificate used as if it were the edge's",
      to: straight,
      credentials: viewers.namedLikeEdge,
      headers: forged,
      expected: required,
    },
    {
      row: "two `Client-Cert` lines, sent with the edge's certificate",
      to: straight,
      credentials: edge,
      headers: { 'Client-Cert': [encodeClientCert(device.der), encodeClientCert(otherDevice.der)] },
      expected: malformed,
    },
  ];
}

function identified(device: number): Answer {
  return { status: 200, code: `urn:example:device:${device}` };
}
