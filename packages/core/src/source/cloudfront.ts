import { maxEscapedPemLength, parseEscapedPem } from '../escaped-pem';
import { checkOptions } from '../options';
import { forwardedClientCert } from './client-cert';
import { type ArrivingHeader, arrivingHeaders, type CloudFrontHelpers } from './cloudfront-helpers';
import { parsePemFormat } from './cloudfront-format';
import { checkCompanions, inconsistent, notForwarded } from './companions';
import { cloudFrontHeaders, type FieldLines, onlyLine } from './field-lines';
import { createHeaderSource, type ForwardingOptions, forwardingOptionNames } from './header-source';
import { certificatesOf, checkLength, malformedField, maxChainLength, oneCertificate } from './limits';
import { type ClientCertFields, clientCertFields } from './rfc9440';
import type { Forwarded, Source } from './source';

/** What {@link cloudFront} takes. */
export interface CloudFrontOptions extends ForwardingOptions {
  /** The distribution's mode of viewer mTLS. Default `'passthrough'`. */
  readonly mode?: 'passthrough' | 'required' | 'optional';
  /**
   * What a CloudFront Function of the distribution gives to `cf.mtls`, where it renames or rewrites certificate headers:
   * paste its objects. Default nothing.
   */
  readonly helpers?: CloudFrontHelpers;
  /**
   * Whether a certificate under a name that `helpers` made counts only beside `CloudFront-Viewer-Cert-Present: 1`, which the
   * origin request policy then has to list. Default `'required'`: CloudFront removes what viewers send under its own names
   * and does not say so of names you choose, so that a viewer without a certificate could send one that is not theirs.
   * `'when-sent'` is for functions that remove the viewer's own header before.
   */
  readonly presentHeader?: 'required' | 'when-sent';
}

const optionNames = [...forwardingOptionNames, 'mode', 'helpers', 'presentHeader'];
const prefix = 'cloudfront-viewer-cert-';

/** What CloudFront passes on at most, in one request. */
const maxHeaderBytes = 32_768;

/**
 * Certificates that CloudFront forwards from viewers.
 *
 * In passthrough mode, the default: `Client-Cert` and `Client-Cert-Chain` of RFC 9440, no more than ten certificates in the
 * chain. CloudFront has checked possession of the private key and nothing else. In required and optional mode:
 * `CloudFront-Viewer-Cert-Pem`, URL-encoded PEM of the end-entity certificate alone; CloudFront has validated its path.
 * Supply intermediates with the trust store: none is forwarded.
 *
 * Where `CloudFront-Viewer-Cert-Present`, `-Sha256`, and in required and optional mode `-Serial-Number` and `-Validity`
 * arrive, they must agree with the certificate; they are never identity. `-Subject` and `-Issuer` are not compared: a
 * distinguished name can be written in many ways.
 *
 * Not certain, because AWS shows the calls of `cf.mtls` and not what they write: whether a renamed header is percent-encoded,
 * what stands between certificates, whether `certEndMarker` stands behind the last one, and whether the original arrives too.
 * With `helpers` a value that holds `%` is percent-decoded once, end marker, comma and white space may be there or not, and
 * originals are passed over. Try it with your own distribution.
 *
 * @throws {TypeError} without a channel proof, or with one that proves too little by itself: a certificate is public, and
 *   anyone who reaches the origin could send it. Also for helpers that the mode does not have or that cannot be read back.
 */
export function cloudFront(options: CloudFrontOptions): Source {
  checkOptions('cloudFront', options, optionNames);
  const { mode = 'passthrough', helpers = {}, presentHeader = 'required', ...forwarding } = options;
  if (mode !== 'passthrough' && mode !== 'required' && mode !== 'optional') {
    throw new TypeError("mode must be 'passthrough', 'required' or 'optional'.");
  }
  if (presentHeader !== 'required' && presentHeader !== 'when-sent') {
    throw new TypeError("presentHeader must be 'required' or 'when-sent'.");
  }
  const headers = arrivingHeaders(helpers, mode);
  const { of } = headers;
  const present = of(`${prefix}present`).header;
  const sha256 = of(`${prefix}sha256`).header;
  const passthrough = mode === 'passthrough';
  const certificate = headers.combined ?? of(passthrough ? 'client-cert' : `${prefix}pem`);
  const isPresentNeeded = presentHeader === 'required' && headers.made.includes(certificate.header);
  const hasFormat = certificate.format !== undefined;

  function checkPresent(line: string | undefined, hasCertificate: boolean): void {
    if (line !== undefined && line !== '0' && line !== '1') throw malformedField(present)('it is not 0 or 1');
    if (!hasCertificate && line === '1') throw notForwarded(certificate.header);
    if (hasCertificate && line === '0') throw inconsistent(present, 'it says that no certificate was presented');
    if (hasCertificate && line === undefined && isPresentNeeded) {
      throw inconsistent(present, 'it does not say that a certificate was presented');
    }
  }

  const common = {
    ...forwarding,
    owner: 'cloudFront',
    name: 'cloudfront',
    proxy: 'distribution',
    maxHeaderBytes,
    companions: ['client-cert', 'client-cert-chain', ...cloudFrontHeaders],
  } as const;
  // The function's other headers carry what nobody reads, and handlers shall not either.
  const withOthers = (read: readonly string[]): string[] => [
    ...read,
    ...headers.made.filter((header) => !read.includes(header)),
  ];

  if (passthrough) {
    const chain = headers.combined ?? of('client-cert-chain');
    const read = readPassthrough(certificate, chain);
    return createHeaderSource({
      ...common,
      fields: withOthers([...(chain === certificate ? [] : [certificate.header]), chain.header, present, sha256]),
      companions: headers.made.length === 0 ? cloudFrontHeaders : common.companions,
      proxyProves: 'possession',
      dialect: hasFormat ? functionFormat : 'RFC 9440',
      read(lines: FieldLines): Forwarded | undefined {
        const offset = chain === certificate ? 1 : 2;
        const line = onlyLine(lines[0], certificate.header);
        const presentLine = onlyLine(lines[offset], present);
        const digest = onlyLine(lines[offset + 1], sha256);
        checkPresent(presentLine, line !== undefined);
        const forwarded = read(line, chain === certificate ? [] : (lines[1] ?? []));
        if (forwarded === undefined || digest === undefined) return forwarded;
        return checked(forwarded, (endEntity) => checkCompanions(endEntity, { sha256: [sha256, digest] }));
      },
    });
  }

  const serialNumber = of(`${prefix}serial-number`).header;
  const validity = of(`${prefix}validity`).header;
  const read = readPem(certificate);
  return createHeaderSource({
    ...common,
    fields: withOthers([certificate.header, present, sha256, serialNumber, validity]),
    proxyProves: 'path',
    dialect: hasFormat ? functionFormat : 'URL-encoded PEM',
    read([lines, presentLines, sha256Lines, serialLines, validityLines]: FieldLines): Forwarded | undefined {
      const line = onlyLine(lines, certificate.header);
      const presentLine = onlyLine(presentLines, present);
      const stated = {
        sha256: [sha256, onlyLine(sha256Lines, sha256)],
        serialNumber: [serialNumber, onlyLine(serialLines, serialNumber)],
        validity: [validity, onlyLine(validityLines, validity)],
      } as const;
      checkPresent(presentLine, line !== undefined);
      if (line === undefined) {
        if (mode === 'required' && presentLine === '0') throw inconsistent(present, 'it is 0 in required mode');
        if (Object.values(stated).some(([, value]) => value !== undefined)) throw notForwarded(certificate.header);
        return undefined;
      }
      return checked(read(line), (endEntity) => checkCompanions(endEntity, stated));
    },
  });
}

const functionFormat = 'the format of your CloudFront Function';

function checked(forwarded: Forwarded, check: (endEntity: Uint8Array) => void): Forwarded {
  return {
    chainText: forwarded.chainText,
    decodeChain: () => forwarded.decodeChain(),
    decodeEndEntity() {
      const endEntity = forwarded.decodeEndEntity();
      check(endEntity);
      return endEntity;
    },
  };
}

type ReadPassthrough = (line: string | undefined, chain: readonly string[]) => Forwarded | undefined;

function readPassthrough(certificate: ArrivingHeader, chain: ArrivingHeader): ReadPassthrough {
  const fields: ClientCertFields = {
    ...clientCertFields,
    clientCert: certificate.header,
    clientCertChain: chain.header,
  };
  if (certificate.format === undefined && chain.format === undefined) {
    return (line, chainLines) => forwardedClientCert(line, chainLines, fields);
  }
  return (line, chainLines) => {
    const original = forwardedClientCert(line, chainLines, fields);
    if (original === undefined || line === undefined) return undefined;
    const isCombined = chain === certificate;
    return {
      chainText: isCombined ? undefined : original.chainText,
      decodeChain() {
        if (isCombined) return parseFormatted([line], chain, true).slice(1);
        return chain.format === undefined ? original.decodeChain() : parseFormatted(chainLines, chain, true);
      },
      decodeEndEntity() {
        if (certificate.format === undefined) return original.decodeEndEntity();
        const [endEntity] = parseFormatted([line], certificate, isCombined);
        if (endEntity === undefined) throw malformedField(certificate.header)('it is empty');
        return endEntity;
      },
    };
  };
}

function readPem(certificate: ArrivingHeader): (line: string) => Forwarded {
  const { header } = certificate;
  return (line) => ({
    decodeChain: () => [],
    decodeEndEntity() {
      checkLength(header, line.length, maxEscapedPemLength);
      const [endEntity] =
        certificate.format === undefined
          ? parseEscapedPem(line, oneCertificate(header))
          : parseFormatted([line], certificate, false);
      if (endEntity === undefined) throw malformedField(header)('it is empty');
      return endEntity;
    },
  });
}

function parseFormatted(
  lines: readonly string[],
  { header, format }: ArrivingHeader,
  holdsMany: boolean,
): readonly Uint8Array[] {
  const length = lines.reduce((sum, line) => sum + line.length, 0);
  checkLength(header, length, holdsMany ? maxChainLength : maxEscapedPemLength);
  const rules = holdsMany ? certificatesOf(header) : oneCertificate(header);
  let left = rules.maximum;
  return lines.flatMap((line) => {
    const found = parsePemFormat(line, format as NonNullable<typeof format>, {
      ...rules,
      maximum: left,
      tooMany: () => rules.tooMany(rules.maximum + 1),
    });
    left -= found.length;
    return found;
  });
}
