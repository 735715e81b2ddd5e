import type { ChannelEvidence } from './channel/channel-proof';
import type { ClientCertificateError } from './errors';
import type { ClientIdentity } from './identity';
import type { RevocationEvidence } from './path/acceptance';

/** What became of one request, with the evidence of its channel wherever there is some. */
export type Outcome =
  | {
      readonly status: 'authenticated';
      readonly identity: ClientIdentity;
      readonly channel: ChannelEvidence;
      /** What proved each certificate asked about not revoked; absent where nobody was asked. */
      readonly revocation?: readonly RevocationEvidence[];
    }
  /** No certificate was presented, and none is required. */
  | { readonly status: 'anonymous'; readonly channel: ChannelEvidence }
  /** `channel` is undefined when the channel itself was not trusted. */
  | {
      readonly status: 'rejected';
      readonly error: ClientCertificateError;
      readonly channel?: ChannelEvidence | undefined;
    };
