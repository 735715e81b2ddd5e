import { checkOptions } from '../options';
import { type PemCertFormatInfo, type PemFormat, pemFormatOf } from './cloudfront-format';
import { headerName } from './header-source';

/** A header that a CloudFront Function writes certificates into. */
export interface PemHeader {
  /** Its name. */
  readonly newHeaderName: string;
  /** How certificates are written into it. */
  readonly pemCertFormatInfo?: PemCertFormatInfo;
}

/**
 * What the calls of `cf.mtls` in a CloudFront Function were given: the very objects. The names of the originals are compared
 * without letter case.
 */
export interface CloudFrontHelpers {
  /** What `cf.mtls.renameClientCertHeaders` is given: new names by the original ones. */
  readonly renameClientCertHeaders?: Readonly<Record<string, string>>;
  /** What `cf.mtls.renamePemHeaders` is given: for `Client-Cert`, `Client-Cert-Chain` or `CloudFront-Viewer-Cert-Pem`. */
  readonly renamePemHeaders?: Readonly<Record<string, PemHeader>>;
  /** What `cf.mtls.combinePemHeaders` is given. Where it is used, its header is the one that is read. */
  readonly combinePemHeaders?: PemHeader;
}

/** Where a piece of CloudFront's word arrives, and in what format where that is not its own. */
export interface ArrivingHeader {
  readonly header: string;
  readonly format?: PemFormat;
}

/** The headers of one distribution, by their original names, in lower case. */
export interface ArrivingHeaders {
  readonly of: (original: string) => ArrivingHeader;
  readonly combined: ArrivingHeader | undefined;
  /** Names the function makes, all of them. */
  readonly made: readonly string[];
}

const helperNames = ['renameClientCertHeaders', 'renamePemHeaders', 'combinePemHeaders'];
const headerOptionNames = ['newHeaderName', 'pemCertFormatInfo'];
const pem = 'cloudfront-viewer-cert-pem';
const companions = ['present', 'sha256', 'serial-number', 'issuer', 'subject', 'validity'];

/**
 * Judges the helpers of a CloudFront Function, and says where each header arrives.
 *
 * @param mode - In passthrough mode there is no `CloudFront-Viewer-Cert-Pem`, in the others no `Client-Cert`.
 * @throws {TypeError} for originals that the mode does not have, that are renamed twice, and for formats that cannot be
 *   read back.
 */
export function arrivingHeaders(
  helpers: CloudFrontHelpers,
  mode: 'passthrough' | 'required' | 'optional',
): ArrivingHeaders {
  checkOptions('helpers', helpers, helperNames);
  const { renameClientCertHeaders = {}, renamePemHeaders = {}, combinePemHeaders } = helpers;
  const certificates = mode === 'passthrough' ? ['client-cert', 'client-cert-chain'] : [pem];
  const originals = [...certificates, ...companions.map((name) => `cloudfront-viewer-cert-${name}`)];
  const arriving = new Map<string, ArrivingHeader>();

  function rename(helper: string, original: string, possible: readonly string[], header: ArrivingHeader): void {
    const name = original.toLowerCase();
    if (!possible.includes(name)) throw new TypeError(`${helper}: there is no ${original} in ${mode} mode.`);
    if (arriving.has(name)) throw new TypeError(`${helper}: ${original} has two new names.`);
    arriving.set(name, header);
  }

  checkRecord('helpers.renameClientCertHeaders', renameClientCertHeaders);
  for (const [original, newName] of Object.entries(renameClientCertHeaders)) {
    const helper = 'helpers.renameClientCertHeaders';
    rename(helper, original, originals, { header: headerName(helper, newName) });
  }
  checkRecord('helpers.renamePemHeaders', renamePemHeaders);
  for (const [original, header] of Object.entries(renamePemHeaders)) {
    const helper = 'helpers.renamePemHeaders';
    const name = original.toLowerCase();
    rename(helper, original, certificates, pemHeaderOf(helper, header, name === pem, name === 'client-cert-chain'));
  }
  if (combinePemHeaders !== undefined && mode !== 'passthrough') {
    throw new TypeError('helpers.combinePemHeaders has an effect in passthrough mode only.');
  }
  const combined =
    combinePemHeaders === undefined
      ? undefined
      : pemHeaderOf('helpers.combinePemHeaders', combinePemHeaders, false, true);
  return {
    of: (original) => arriving.get(original) ?? { header: original },
    combined,
    made: [...arriving.values(), ...(combined === undefined ? [] : [combined])].map(({ header }) => header),
  };
}

function checkRecord(option: string, value: unknown): void {
  checkOptions(option, value, typeof value === 'object' && value !== null ? Object.keys(value) : []);
}

function pemHeaderOf(option: string, header: unknown, isPem: boolean, holdsMany: boolean): Required<ArrivingHeader> {
  checkOptions(option, header, headerOptionNames);
  const { newHeaderName, pemCertFormatInfo = {} } = header as PemHeader;
  return {
    header: headerName(`${option}.newHeaderName`, newHeaderName),
    format: pemFormatOf(`${option}.pemCertFormatInfo`, pemCertFormatInfo, isPem, holdsMany),
  };
}
