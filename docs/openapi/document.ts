// The OpenAPI 3.1 document of this deployment, put together from its parts.
import { verificationPaths } from './gateways.ts';
import { apiPaths } from './api.ts';
import { operatorPaths } from './operator.ts';
import { reportPaths } from './report.ts';
import { ProblemBody, schemaOf } from './answers.ts';
import type { Paths } from './answers.ts';

export const PATHS: Paths = { ...apiPaths, ...verificationPaths, ...reportPaths, ...operatorPaths };

/** Of the API. */
export const VERSION = '1.0.0';

const bearer = (description: string) => ({ type: 'http', scheme: 'bearer', description });

/** `origin`: this deployment's origin. `product`: its name. */
export function openApiDocument(origin: string, product: string) {
  return {
    openapi: '3.1.0',
    info: {
      title: `${product} API`,
      version: VERSION,
      description: `Read your organisation's data with a token from the Developer Zone.`,
      contact: { name: product, url: `${origin}/docs` },
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: origin }],
    externalDocs: { url: `${origin}/docs` },
    tags: [
      { name: 'API', description: 'For services that hold a token' },
      {
        name: 'Gateway',
        description: 'For gateways and servers that ask about a caller',
        externalDocs: {
          description: 'Where an API stands behind this one, it answers every other path under /v1',
          url: `${origin}/docs/gateways#upstream`,
        },
      },
      { name: 'Operator', description: 'For the platform that owns the organisations' },
      {
        name: 'Reports',
        description: 'For people and programs that find leaked tokens',
        externalDocs: { description: 'What happens then', url: `${origin}/docs/report` },
      },
    ],
    paths: PATHS,
    components: {
      securitySchemes: {
        token: bearer('A token from the Developer Zone'),
        apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'The same token' },
        client: { type: 'http', scheme: 'basic', description: 'A client of `INTROSPECTION_CLIENTS`' },
        operator: bearer('The operator secret of this deployment'),
      },
      schemas: { Problem: schemaOf(ProblemBody) },
    },
  };
}
