import type { CertificatePolicyOptions } from '@peercert/core';

/** What several cases share, so that one process of OpenSSL can judge them all. */
export interface Setting {
  readonly hierarchy: string;
  readonly anchors: readonly Buffer[];
  readonly intermediates: readonly Buffer[];
  readonly time: Date;
  readonly policies: CertificatePolicyOptions;
  /** What was changed here, for people and for the conditions of expected.json. */
  readonly log: readonly string[];
}

/** One end-entity certificate to judge. */
export interface Case {
  readonly setting: Setting;
  readonly endEntity: Buffer;
  /** Everything that was changed. */
  readonly log: readonly string[];
  /** The certificates that were changed: decoders are compared over these. */
  readonly changed: readonly Buffer[];
}

/** Cases of one setting. */
export interface Group {
  readonly setting: Setting;
  readonly cases: readonly Case[];
}
