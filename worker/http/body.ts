// Reads a JSON body strictly: at most 16 KiB unless a route says more, one object, no field twice, nothing unknown. Refusals name the field.
import type { Env as HonoEnv, MiddlewareHandler } from 'hono';
import type { BaseIssue, BaseSchema, InferInput, InferOutput } from 'valibot';
import { safeParse } from 'valibot';
import { cut } from '../cut.ts';
import { BODY_KIB, readBytes } from './body-bytes.ts';
import { Problem } from './problem.ts';

type Schema = BaseSchema<unknown, unknown, BaseIssue<unknown>>;

/** `readBody` as a step of a route: the typed client knows the body by it, and handlers read `c.req.valid('json')`. */
export function strictBody<S extends Schema>(
  schema: S,
  limitKib = BODY_KIB,
): MiddlewareHandler<HonoEnv, string, { in: { json: InferInput<S> }; out: { json: InferOutput<S> } }> {
  return async (c, next) => {
    // A schema of one JSON object answers an object.
    c.req.addValidatedData('json', (await readBody(c.req.raw, schema, limitKib)) as object);
    await next();
  };
}

/** The body as the schema reads it, or `invalid-body` / `payload-too-large`. */
export async function readBody<S extends Schema>(
  request: Request,
  schema: S,
  limitKib = BODY_KIB,
): Promise<InferOutput<S>> {
  // The same-site rule relies on this: a body without a type is never read.
  if (request.headers.get('content-type') === null) {
    throw new Problem('invalid-body', 'Header "Content-Type": missing');
  }
  const { text, value } = jsonIn(await readBytes(request, limitKib));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Problem('invalid-body', 'The body is not a JSON object');
  }
  const repeated = repeatedField(text);
  if (repeated !== null) throw new Problem('invalid-body', `Field "${cut(repeated)}": given twice`);
  const result = safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const field = issue.path?.map((step) => String(step.key)).join('.') ?? '';
  const reason =
    issue.type === 'strict_object' && issue.expected === 'never'
      ? 'unknown'
      : issue.type === 'strict_object'
        ? 'missing'
        : issue.message;
  throw new Problem('invalid-body', `Field "${cut(field)}": ${reason}`);
}

/** The text of a body and its value, or `invalid-body`: not UTF-8, or not JSON. */
export function jsonIn(bytes: Uint8Array): { text: string; value: unknown } {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return { text, value: JSON.parse(text) as unknown };
  } catch {
    throw new Problem('invalid-body', 'The body is not JSON');
  }
}

/** The first field that an object in valid JSON names twice, or null: `JSON.parse` would silently take the last. */
function repeatedField(text: string): string | null {
  // The fields seen of each object and list that is open.
  const open: Set<string>[] = [];
  for (const [piece, string] of text.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}[\]]/g)) {
    if (piece === '{' || piece === '[') open.push(new Set());
    else if (piece === '}' || piece === ']') open.pop();
    else if (string !== undefined) {
      // It matched a JSON string, so it parses to one.
      const field = JSON.parse(string) as string;
      const seen = open.at(-1);
      if (seen?.has(field) === true) return field;
      seen?.add(field);
    }
  }
  return null;
}
