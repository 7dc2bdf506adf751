// The entry of the Worker: it opens the deployment, chooses the group of routes, and writes the line of the log. The routes of the
// dashboard and of the operator are loaded when they are first needed, so that API calls never load them. API calls do not use the
// router either: its context and its handlers would cost a call more than its verification.
import { VERIFY } from './api/asked-call.ts';
import { forwardAuth } from './api/forward-auth.ts';
import { api, isApiPath } from './api/routes.ts';
import { openDeployment } from './deployment/deployment.ts';
import type { Env } from './deployment/env.ts';
import { Call, NO_REQUEST } from './http/call.ts';
import { logRequest } from './http/log.ts';
import { isAtVerifyHost } from './http/origins.ts';
import { coverSubdomains, withSecurityHeaders } from './http/security-headers.ts';

export { ChangeHub } from './verification/hub/change-hub.ts';
export { Verifier } from './verifier.ts';

function answer(call: Call): Response | Promise<Response> {
  // Forward-auth has every path of its own host, so that a gateway that appends a path never gets an answer without a verification.
  // On other hosts it has exactly one path, so that `..` in a path cannot lead to another answer.
  if (call.path === VERIFY || isAtVerifyHost(call)) return forwardAuth(call);
  return isApiPath(call.path) ? api(call) : answerSite(call).then(withSecurityHeaders);
}

/** Everything else: the dashboard, the operator, the documentation, and the files. */
async function answerSite(call: Call): Promise<Response> {
  const { site } = await import('./site.ts');
  return site(call);
}

function finish(call: Call, given: Response): Response {
  const { log, hstsSubdomains } = call.deployment.settings;
  logRequest(call, given.status, log);
  if (hstsSubdomains === 'yes') coverSubdomains(given);
  return call.request.method === 'HEAD' ? new Response(null, given) : given;
}

export default {
  fetch(request: Request, env: Env, context: ExecutionContext) {
    const call = new Call(request, context, openDeployment(env));
    const given = answer(call);
    return given instanceof Promise ? given.then((late) => finish(call, late)) : finish(call, given);
  },
  async scheduled(controller, env, context) {
    const { runUpkeep } = await import('./upkeep/run.ts');
    await runUpkeep(new Call(NO_REQUEST, context, openDeployment(env)), controller);
  },
} satisfies ExportedHandler<Env>;
