import { contextTag, DerError, DerReader, Tag } from './der';
import { nameKey, readName } from './name';
import {
  readEnumerated,
  readExtensions,
  readGeneralizedTime,
  readSingleResponse,
  type SingleResponse,
} from './ocsp-single-response';
import { oid } from './oid';
import { type AlgorithmIdentifier, readAlgorithmIdentifier } from './signature-algorithm';

/** A response larger than this, in octets, is refused. Real ones have some 500, or 2,000 with a delegate's certificate. */
export const maxOcspResponseOctets = 65_536;

/** More single responses than this in one response are refused. */
const maxResponses = 100;
/** More certificates than this in one response are refused. */
const maxCertificates = 10;
/** RFC 9654 section 2.1. */
export const maxNonceOctets = 128;

/** OCSPResponseStatus (RFC 6960 section 4.2.1), by number. 4 is not used. */
const responseStatuses = [
  'successful',
  'malformedRequest',
  'internalError',
  'tryLater',
  undefined,
  'sigRequired',
  'unauthorized',
] as const;

/** OCSPResponseStatus (RFC 6960 section 4.2.1): a responder that does not answer says why, and does not sign it. */
export type OcspErrorStatus = Exclude<(typeof responseStatuses)[number], 'successful' | undefined>;

/** OCSPResponse (RFC 6960 section 4.2.1). Only a successful one says anything about certificates. */
export type OcspResponse =
  { readonly status: 'successful'; readonly basic: BasicOcspResponse } | { readonly status: OcspErrorStatus };

/** BasicOCSPResponse (RFC 6960 section 4.2.1). Buffers are parts of the response they were read from. */
export interface BasicOcspResponse {
  /** What the signature covers. */
  readonly tbs: Buffer;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly signature: Buffer;
  readonly responderId: ResponderId;
  /** Milliseconds since the Unix epoch. */
  readonly producedAt: number;
  readonly responses: readonly SingleResponse[];
  readonly nonce: Buffer | undefined;
  /** Dotted OIDs of critical responseExtensions that are not processed. */
  readonly unsupportedCritical: readonly string[];
  /** DER of certificates that may help to verify the signature: nobody has looked into them, and no signature covers them. */
  readonly certificates: readonly Buffer[];
}

/** Who signed, by name (see {@link nameKey}) or by the SHA-1 of the public key's bits (latin1). */
export type ResponderId = { readonly nameKey: string } | { readonly keyHash: string };

const basicOid = oid('1.3.6.1.5.5.7.48.1.1');
const nonceOid = oid('1.3.6.1.5.5.7.48.1.2');

/**
 * Decodes an OCSPResponse (RFC 6960 section 4.2.1) from strict DER. Everything is read and nothing is judged: who signed,
 * and whether it is an answer at all, is decided in `revocation/`.
 *
 * @throws {DerError} also for a response type other than id-pkix-ocsp-basic: no other is known.
 */
export function decodeOcspResponse(bytes: Buffer): OcspResponse {
  if (bytes.length > maxOcspResponseOctets) throw new DerError('OCSP response is too large', 0);
  const whole = new DerReader(bytes);
  const response = whole.enter(Tag.sequence, 'OCSPResponse');
  whole.finish('OCSPResponse');
  const status = readEnumerated(response, 'responseStatus', responseStatuses);
  if (status !== 'successful') {
    response.finish('responseStatus of an error');
    return { status };
  }
  const explicit = response.enter(contextTag(0, 'constructed'), 'responseBytes');
  response.finish('responseBytes');
  const responseBytes = explicit.enter(Tag.sequence, 'responseBytes');
  explicit.finish('responseBytes');
  if (responseBytes.oid('responseType') !== basicOid) {
    throw new DerError('responseType is not id-pkix-ocsp-basic', responseBytes.start);
  }
  const octets = responseBytes.enter(Tag.octetString, 'response');
  responseBytes.finish('response');
  const basic = readBasicResponse(octets);
  octets.finish('BasicOCSPResponse');
  return { status, basic };
}

function readBasicResponse(reader: DerReader): BasicOcspResponse {
  const { bytes } = reader;
  const basic = reader.enter(Tag.sequence, 'BasicOCSPResponse');
  const tbsStart = basic.end;
  const data = readResponseData(basic.enter(Tag.sequence, 'tbsResponseData'));
  const tbs = bytes.subarray(tbsStart, basic.end);
  const signatureAlgorithm = readAlgorithmIdentifier(basic, 'signatureAlgorithm');
  const { start, end } = basic.wholeBitString('signature');
  const certificates = basic.atEnd ? [] : readCertificates(basic);
  basic.finish('certs');
  return { tbs, ...data, signatureAlgorithm, signature: bytes.subarray(start, end), certificates };
}

type ResponseData = Pick<
  BasicOcspResponse,
  'responderId' | 'producedAt' | 'responses' | 'nonce' | 'unsupportedCritical'
>;

function readResponseData(data: DerReader): ResponseData {
  // DER leaves out the default, version 1; there is no other.
  if (data.nextTag === contextTag(0, 'constructed')) throw new DerError('version is not 1', data.end);
  const responderId = readResponderId(data);
  const producedAt = readGeneralizedTime(data, 'producedAt');
  const list = data.enter(Tag.sequence, 'responses');
  const responses: SingleResponse[] = [];
  while (!list.atEnd) {
    if (responses.length === maxResponses) throw new DerError('too many responses', list.end);
    responses.push(readSingleResponse(list));
  }
  let nonce: Buffer | undefined;
  const unsupportedCritical = readExtensions(data, 'responseExtensions', (type, value) => {
    if (type !== nonceOid) return false;
    nonce = readNonce(value);
    return true;
  });
  data.finish('responseExtensions');
  return { responderId, producedAt, responses, nonce, unsupportedCritical };
}

function readResponderId(data: DerReader): ResponderId {
  const { bytes } = data;
  if (data.nextTag === contextTag(1, 'constructed')) {
    const byName = data.enter(data.nextTag, 'responderID');
    const range = readName(byName, 'responderID');
    byName.finish('responderID');
    return { nameKey: nameKey(bytes, range) };
  }
  const byKey = data.enter(contextTag(2, 'constructed'), 'responderID');
  const { start, end } = byKey.expect(Tag.octetString, 'responderID: KeyHash');
  byKey.finish('responderID');
  return { keyHash: bytes.toString('latin1', start, end) };
}

function readCertificates(basic: DerReader): readonly Buffer[] {
  const explicit = basic.enter(contextTag(0, 'constructed'), 'certs');
  const list = explicit.enter(Tag.sequence, 'certs');
  explicit.finish('certs');
  const certificates: Buffer[] = [];
  while (!list.atEnd) {
    if (certificates.length === maxCertificates) throw new DerError('too many certs', list.end);
    const at = list.end;
    list.expect(Tag.sequence, 'certs: certificate');
    certificates.push(list.bytes.subarray(at, list.end));
  }
  return certificates;
}

/** RFC 9654 section 2.1: 1 to 128 octets. */
function readNonce(value: DerReader): Buffer {
  const { start, end } = value.expect(Tag.octetString, 'nonce');
  if (start === end || end - start > maxNonceOctets) throw new DerError('nonce has not 1 to 128 octets', start);
  return value.bytes.subarray(start, end);
}
