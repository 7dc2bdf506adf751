// A call with a token, from outside.

/** The status of `GET /v1/ping` with that secret. */
export async function statusOf(origin: string, secret: string): Promise<number> {
  const answer = await fetch(`${origin}/v1/ping`, { headers: { authorization: `Bearer ${secret}` } });
  await answer.arrayBuffer();
  return answer.status;
}
