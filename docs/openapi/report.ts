// The OpenAPI part for people and programs that find leaked tokens. A test makes each of these calls.
import { array, description, picklist, pipe, strictObject, string } from 'valibot';
import type { Label } from '../../worker/report/github.ts';
import type { reports } from '../../worker/report/routes.ts';
import { Matches, ReportBody } from '../../worker/report/schemas.ts';
import {
  body,
  count,
  headerParameters,
  json,
  problem,
  refusedBody,
  text,
  type Operation,
  type OperationsOf,
} from './answers.ts';

const EXAMPLE = 'https://paste.example/4711';

export const reportPaths: OperationsOf<typeof reports> & {
  '/report/github': { post: Operation<{ 200: Label[] }> };
} = {
  '/report': {
    post: {
      operationId: 'reportTokens',
      summary: 'Report leaked tokens',
      description:
        'For people and programs that find leaked tokens. A token that works is paused, and its organisation is told. Any other text changes nothing. The answer is the same for every text. It may be repeated.',
      tags: ['Reports'],
      security: [],
      requestBody: body(ReportBody, { tokens: ['9p…'], url: EXAMPLE }),
      responses: {
        202: json('How many texts the report had', strictObject({ received: count }), { received: 1 }),
        403: problem(['https-required']),
        ...refusedBody,
        503: problem(['storage-unavailable']),
      },
    },
  },
  '/report/github': {
    post: {
      operationId: 'reportFromGithub',
      summary: 'Report leaked tokens, as GitHub',
      description:
        'For GitHub’s secret scanning alone: the body is signed with one of its keys. It has the same effect as any other report.',
      tags: ['Reports'],
      security: [],
      parameters: headerParameters(
        [
          ['Github-Public-Key-Identifier', 'Which key of GitHub'],
          [
            'Github-Public-Key-Signature',
            'ECDSA over P-256 and SHA-256 of the bytes of the body; DER, in base64',
          ],
        ],
        true,
      ),
      requestBody: body(Matches, [{ token: '9p…', type: 'developer_zone_token', url: EXAMPLE }]),
      responses: {
        200: json(
          'What each match is',
          array(
            strictObject({
              token_hash: pipe(string(), description('SHA-256 of the match, in hex')),
              token_type: text,
              label: picklist(['true_positive', 'false_positive']),
            }),
          ),
          [{ token_hash: '0'.repeat(64), token_type: 'developer_zone_token', label: 'true_positive' }],
        ),
        403: problem(['signature-invalid', 'https-required']),
        404: problem(['not-found']),
        ...refusedBody,
        503: problem(['verification-unavailable', 'storage-unavailable']),
      },
    },
  },
};
