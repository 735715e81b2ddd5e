import { maxEscapedPemLength, parseEscapedPem } from '../escaped-pem';
import { checkOptions } from '../options';
import { checkCompanions, notForwarded } from './companions';
import { type FieldLines, onlyLine } from './field-lines';
import { createHeaderSource, type ForwardingOptions, forwardingOptionNames, headerName } from './header-source';
import { certificatesOf, checkLength, maxChainLength, oneCertificate } from './limits';
import type { Forwarded, Source } from './source';

/** What {@link alb} takes. */
export interface AlbOptions extends ForwardingOptions {
  /** The mode of mutual authentication the listener is set to. */
  readonly mode: 'passthrough' | 'verify';
  /**
   * The header with the certificate, where the listener renames it. Default `'x-amzn-mtls-clientcert'` in passthrough,
   * `'x-amzn-mtls-clientcert-leaf'` in verify mode.
   */
  readonly header?: string;
}

/** What the load balancer takes of request headers in all. */
const maxHeaderBytes = 65_536;

const prefix = 'x-amzn-mtls-clientcert';
const serialNumber = `${prefix}-serial-number`;
const validity = `${prefix}-validity`;

/**
 * Certificates that an Application Load Balancer forwards. In passthrough mode all that the client presented, end-entity
 * certificate first, no more than ten in 65,536 characters, which is what the load balancer takes of headers in all; in
 * verify mode the end-entity certificate alone: supply intermediates with the trust store. Both in URL-encoded PEM, with
 * `+`, `/` and `=` escaped or as they are.
 *
 * In verify mode the serial number and the validity that the load balancer states must be the certificate's, where they
 * arrive under their own names; they are never identity, and subject and issuer are not read.
 *
 * The load balancer has proven possession of the private key; in verify mode it has validated the path too.
 *
 * Not certain: AWS does not say whether the load balancer removes these headers where a client sends them. A header that
 * arrives twice is refused. Use no listener of another mode, or without mutual authentication, in front of the same origin.
 *
 * @throws {TypeError} without a mode, without a sufficient channel proof, and for a name that is not a header name or clashes.
 */
export function alb(options: AlbOptions): Source {
  checkOptions('alb', options, [...forwardingOptionNames, 'mode', 'header']);
  const { mode } = options;
  if (mode !== 'passthrough' && mode !== 'verify') throw new TypeError("alb needs mode, 'passthrough' or 'verify'.");
  const header = headerName('header', options.header, mode === 'passthrough' ? prefix : `${prefix}-leaf`);
  const common = { ...options, owner: 'alb', name: 'alb', maxHeaderBytes, dialect: 'URL-encoded PEM' } as const;
  if (mode === 'passthrough') {
    return createHeaderSource({
      ...common,
      fields: [header],
      proxyProves: 'possession',
      read: ([lines]: FieldLines) => readPassthrough(onlyLine(lines, header), header),
    });
  }
  return createHeaderSource({
    ...common,
    fields: [header, serialNumber, validity],
    companions: [`${prefix}-issuer`, `${prefix}-subject`],
    proxyProves: 'path',
    read([lines, serialLines, validityLines]: FieldLines): Forwarded | undefined {
      const certificate = onlyLine(lines, header);
      const stated = {
        serialNumber: [serialNumber, onlyLine(serialLines, serialNumber)],
        validity: [validity, onlyLine(validityLines, validity)],
      } as const;
      if (certificate === undefined) {
        if (stated.serialNumber[1] !== undefined || stated.validity[1] !== undefined) throw notForwarded(header);
        return undefined;
      }
      return {
        decodeChain: () => [],
        decodeEndEntity() {
          checkLength(header, certificate.length, maxEscapedPemLength);
          const endEntity = parseEscapedPem(certificate, oneCertificate(header))[0] as Uint8Array;
          checkCompanions(endEntity, stated);
          return endEntity;
        },
      };
    },
  });
}

function readPassthrough(text: string | undefined, header: string): Forwarded | undefined {
  if (text === undefined) return undefined;
  const parse = (): readonly Uint8Array[] => {
    checkLength(header, text.length, maxChainLength);
    return parseEscapedPem(text, certificatesOf(header));
  };
  return { decodeChain: () => parse().slice(1), decodeEndEntity: () => parse()[0] as Uint8Array };
}
