import { hash } from 'node:crypto';
import { ClientCertificateError } from '../errors';
import { decodePresented } from '../path/validate-path';
import type { Certificate } from '../x509/certificate';
import { malformedField } from './limits';

/** What a proxy says about the certificate it forwards, and where it says so. Never identity: it can only contradict. */
export interface Companions {
  readonly sha256?: readonly [header: string, value: string | undefined];
  readonly serialNumber?: readonly [header: string, value: string | undefined];
  readonly validity?: readonly [header: string, value: string | undefined];
}

const instant = String.raw`(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z)`;
const validityGrammar = new RegExp(`^NotBefore=${instant};NotAfter=${instant}$`);
const maxSerialLength = 128;

/**
 * Requires whatever arrived to be about this certificate: its SHA-256 in hexadecimal; its serial number in hexadecimal, with
 * or without colons and leading zeros; its validity as `NotBefore=2026-01-01T00:00:00Z;NotAfter=2027-01-01T00:00:00Z`.
 *
 * A negative serial number is not compared: no proxy says how it writes one.
 *
 * @throws {ClientCertificateError} `ERR_HEADER_INCONSISTENT`; `ERR_HEADER_MALFORMED` for a serial number or validity that
 *   is not one; `ERR_CERTIFICATE_MALFORMED` where they have to be compared with what is no certificate.
 */
export function checkCompanions(der: Uint8Array, { sha256, serialNumber, validity }: Companions): void {
  if (sha256?.[1] !== undefined && sha256[1].toLowerCase() !== hash('sha256', der, 'hex')) {
    throw inconsistent(sha256[0], 'it is not the digest of the certificate');
  }
  if (serialNumber?.[1] === undefined && validity?.[1] === undefined) return;
  const certificate = decodePresented(der, 0);
  if (serialNumber?.[1] !== undefined) checkSerialNumber(certificate, serialNumber[0], serialNumber[1]);
  if (validity?.[1] !== undefined) checkValidity(certificate, validity[0], validity[1]);
}

function checkSerialNumber(certificate: Certificate, header: string, value: string): void {
  if (value.length > maxSerialLength || !/^[0-9A-Fa-f]+(?::[0-9A-Fa-f]+)*$/.test(value)) {
    throw malformedField(header)('it is not hexadecimal');
  }
  const stated = BigInt(`0x${value.replaceAll(':', '')}`).toString(16);
  if (!certificate.serialNumber.startsWith('-') && stated !== certificate.serialNumber) {
    throw inconsistent(header, 'it is not the serial number of the certificate');
  }
}

function checkValidity({ notBefore, notAfter }: Certificate, header: string, value: string): void {
  const [, from, until] = validityGrammar.exec(value) ?? [];
  if (from === undefined || until === undefined) throw malformedField(header)('it is not a validity');
  if (Date.parse(from) !== notBefore || Date.parse(until) !== notAfter) {
    throw inconsistent(header, 'it is not the validity of the certificate');
  }
}

export function inconsistent(header: string, reason: string): ClientCertificateError {
  return new ClientCertificateError('ERR_HEADER_INCONSISTENT', { header, reason });
}

/** For a proxy that says that a certificate was presented, and does not forward it. */
export function notForwarded(header: string): ClientCertificateError {
  return new ClientCertificateError('ERR_CERTIFICATE_NOT_FORWARDED', { header });
}
