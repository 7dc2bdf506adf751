// The minimal Worker: no router, no check, a constant answer.
const BODY = JSON.stringify({ status: 'ok', organisationId: 'bench', tokenId: 'bench' });
const HEADERS = { 'content-type': 'application/json' };

export default { fetch: () => new Response(BODY, { headers: HEADERS }) } satisfies ExportedHandler;
