// The pages of the documentation, in the order in which people need them.
import type { Block } from './blocks.ts';
import { gatewayBlocks } from './gateways.ts';
import { guideBlocks } from './guide.ts';
import { operatorBlocks } from './operator.ts';
import { problemBlocks } from './problems.ts';

export type Article = {
  path: string;
  /** Short, for the navigation. */
  name: string;
  title: string;
  /** One line, for search engines and llms.txt. */
  summary: string;
  /** Made when the page is asked for. */
  blocks: () => readonly Block[];
};

/** `origin` is this deployment's own, `product` its name, `verifyHost` its VERIFY_HOST, which may be empty. */
export function articles(origin: string, product: string, verifyHost: string): Article[] {
  return [
    {
      path: '/docs',
      name: 'Guide',
      title: `${product} API`,
      summary: 'Authentication, first call, endpoints, what “immediately” means, CORS, limits',
      blocks: () => guideBlocks(origin, product),
    },
    {
      path: '/docs/problems',
      name: 'Problems',
      title: `Problems of the ${product} API`,
      summary: 'What each refusal means and what to do',
      blocks: () => problemBlocks(),
    },
    {
      path: '/docs/gateways',
      name: 'Gateways',
      title: `Your own API behind ${product}’s tokens`,
      summary: 'The API behind this one, forward-auth for nginx and Caddy, introspection, other Workers',
      blocks: () => gatewayBlocks(origin, verifyHost),
    },
    {
      path: '/docs/operator',
      name: 'Operator',
      title: `Operating ${product}’s organisations`,
      summary: 'Organisations, plans and members, for billing and provisioning',
      blocks: () => operatorBlocks(origin),
    },
  ];
}
