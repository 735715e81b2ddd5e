import { ClientCertificateError, TrustStore, TrustStoreError, validatePath } from '@peercert/core';
import type { Case } from './case';

export type OurVerdict =
  /** DER of the path, end-entity certificate first, trust anchor last. */
  | { readonly kind: 'accepted'; readonly path: readonly Buffer[]; readonly policies: readonly string[] }
  | { readonly kind: 'refused'; readonly code: string; readonly reason: string }
  /** Something was thrown that is no verdict. */
  | { readonly kind: 'failed'; readonly error: unknown };

/** What peercert says of a case. */
export async function askPeercert({ setting, endEntity }: Case): Promise<OurVerdict> {
  const { anchors, intermediates, time, policies } = setting;
  try {
    const trust = TrustStore.fromDer(anchors);
    const path = await validatePath({ endEntity, intermediates, trust, time, policies });
    return { kind: 'accepted', path: path.certificates.map((der) => Buffer.from(der)), policies: path.policies };
  } catch (error) {
    if (error instanceof ClientCertificateError) {
      return { kind: 'refused', code: error.code, reason: reasonOf(error.details) };
    }
    if (error instanceof TrustStoreError) {
      return { kind: 'refused', code: error.code, reason: error.details.found.replace(/ at octet \d+$/, '') };
    }
    return { kind: 'failed', error };
  }
}

/** The evidence that tells kinds of refusals apart, without numbers and names of one certificate. */
function reasonOf(details: Readonly<Record<string, unknown>>): string {
  const telling = ['reason', 'limit', 'extension', 'type', 'key', 'oid', 'algorithm'].map((name) => details[name]);
  return telling.find((value) => typeof value === 'string') ?? '';
}
