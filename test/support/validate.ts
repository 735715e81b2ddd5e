import { TrustStore, validatePath, type ValidatePathInput, type VerifiedPath } from '@peercert/core';
import { TEST_TIME } from '@peercert/testkit';

/** Validates a minted certificate with the chain it was minted with, at `TEST_TIME`, against one trust anchor. */
export function validate(
  certificate: { readonly der: Uint8Array; readonly chain?: readonly Uint8Array[] },
  anchor: { readonly der: Uint8Array },
  options: Partial<ValidatePathInput> = {},
): Promise<VerifiedPath> {
  return validatePath({
    endEntity: certificate.der,
    intermediates: certificate.chain ?? [],
    trust: TrustStore.fromDer([anchor.der]),
    time: TEST_TIME,
    ...options,
  });
}
