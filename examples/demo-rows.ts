import type { OutgoingHttpHeaders } from 'node:http';
import { encodeClientCert } from '@peercert/core';
import { cloudFrontHeaders } from '@peercert/testkit';
import type { Answer } from './demo-client';
import type { Way } from './demo-columns';
import type { Credentials, DemoPki } from './pki';

/** One thing a client does, and how every origin it applies to must answer. */
export interface Row {
  readonly row: string;
  /** Default `'the edge'`, which for an origin without one is the origin. */
  readonly to?: Way;
  /** Default `'/'`, which requires a certificate. */
  readonly path?: '/optional' | '/admin';
  /** Default: no certificate. */
  readonly credentials?: Credentials;
  /** Several viewers, who call in turn and twice, over one connection to the origin. In place of `credentials`. */
  readonly inTurn?: readonly (Credentials | undefined)[];
  readonly headers?: OutgoingHttpHeaders;
  /** Sent over a connection that has carried another request before, as those of an edge have. Default false. */
  readonly isSecond?: true;
  /** Default `'HTTP/1.1'`. An origin without an edge speaks nothing else. */
  readonly protocol?: 'HTTP/2';
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
    {
      row: 'four certificates of RSA 4096',
      credentials: viewers.rsa4096WithRoot,
      expected: identified(5),
    },
    {
      row: "a header of 64 KiB, sent with the edge's certificate: more than the origin's server reads",
      to: straight,
      credentials: edge,
      headers: { 'X-Long': 'x'.repeat(65_536) },
      isSecond: true,
      expected: { status: 431, code: 'not by peercert' },
    },
    { row: 'the certificate of the CA itself', credentials: viewers.authority, expected: rejected },
    {
      row: 'valid client through an edge with a certificate of another CA',
      to: 'an edge of another CA',
      credentials: viewers.valid,
      expected: required,
    },
    {
      row: 'valid client through an edge with a certificate of the right CA and another name',
      to: 'an edge with another name',
      credentials: viewers.valid,
      expected: required,
    },
    {
      row: 'valid client through an edge with a wrong secret',
      to: 'an edge with a wrong secret',
      credentials: viewers.valid,
      expected: required,
    },
    {
      row: 'valid client through an edge with the old secret, while the origin accepts two',
      to: 'an edge with the old secret, while both are live',
      credentials: viewers.valid,
      expected: identified(1),
    },
    {
      row: 'the same, after the origin has dropped the old one',
      to: 'an edge with the old secret, after it was removed',
      credentials: viewers.valid,
      expected: required,
    },
    {
      row: 'valid client through an edge in required mode, which forwards no certificate',
      to: 'an edge in required mode',
      credentials: viewers.valid,
      expected: required,
    },
    {
      row: 'the same, and the edge says that there was a certificate, optional route',
      to: 'an edge in required mode that says so',
      path: '/optional',
      credentials: viewers.valid,
      expected: required,
    },
    {
      row: 'no certificate through an edge in optional mode, optional route',
      to: 'an edge in optional mode',
      path: '/optional',
      expected: anonymous,
    },
    {
      row: 'expired, at an origin that only reports, optional route',
      to: 'the edge, to an origin that only reports',
      path: '/optional',
      credentials: viewers.expired,
      expected: anonymous,
    },
    {
      row: 'valid client that the rule of the route does not name',
      path: '/admin',
      credentials: viewers.valid,
      expected: rejected,
    },
    {
      row: 'valid client over HTTP/2',
      protocol: 'HTTP/2',
      credentials: viewers.valid,
      expected: identified(1),
    },
    {
      row: 'devices 1 and 4 and nobody, in turn and twice, over one connection to the origin',
      to: 'the edge, to an origin that nobody else calls',
      inTurn: [viewers.valid, viewers.other, undefined],
      path: '/optional',
      expected: { status: 200, code: '1, 4, anonymous' },
    },
  ];
}

function identified(device: number): Answer {
  return { status: 200, code: `urn:example:device:${device}` };
}
