import { execFileSync } from 'node:child_process';
import Ajv2020, { type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

interface Response {
  $ref?: string;
  content?: Record<string, { schema: object }>;
}

interface Operation {
  responses: Record<string, Response>;
}

export interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object>; responses: Record<string, Response> };
}

let loaded: { document: Document; validators: Map<string, ValidateFunction>; ajv: Ajv2020 } | undefined;

/** The document that the program under test prints. */
export function apiDocument(): Document {
  return load().document;
}

function load() {
  if (loaded) return loaded;
  const document = JSON.parse(execFileSync(process.env.CALL_SERVICE_BINARY!, ['openapi'], { encoding: 'utf8', maxBuffer: 1 << 24 })) as Document;
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: true });
  addFormats(ajv);
  ajv.addSchema({ $id: 'https://api.invalid/document', components: document.components });
  return (loaded = { document, validators: new Map(), ajv });
}

function pathOf(document: Document, path: string): string | undefined {
  const segments = path.split('?', 1)[0]!.split('/');
  return Object.keys(document.paths).find((pattern) => {
    const wanted = pattern.split('/');
    return wanted.length === segments.length && wanted.every((part, index) => part.startsWith('{') || part === segments[index]);
  });
}

/** What is wrong with an answer by the API's own document; undefined if nothing, or if the document does not know the path. */
export function breachOf(method: string, path: string, answer: { status: number; headers: Record<string, unknown>; text?: string; body: unknown }): string | undefined {
  const { document, validators, ajv } = load();
  const pattern = pathOf(document, path);
  const operation = pattern && document.paths[pattern]![method.toLowerCase()];
  // The listener for metrics knows no other path.
  const isUnrouted = answer.status === 405 || (answer.body as { code?: string } | undefined)?.code === 'route_not_found';
  if (!operation || isUnrouted) return undefined;
  const where = `${method} ${pattern} ${answer.status}`;
  let response = operation.responses[String(answer.status)];
  if (response?.$ref) response = document.components.responses[response.$ref.split('/').at(-1)!];
  if (!response) return `${where} is not in the document`;
  const type = String(answer.headers['content-type'] ?? '').split(';', 1)[0]!;
  const content = response.content?.[type];
  if (!content) return `${where} with ${type} is not in the document`;
  let validate = validators.get(where);
  if (!validate) {
    const local = JSON.parse(JSON.stringify(content.schema).replaceAll('"#/components/', '"https://api.invalid/document#/components/')) as object;
    validators.set(where, (validate = ajv.compile(local)));
  }
  return validate(type.endsWith('json') ? answer.body : (answer.text ?? answer.body)) ? undefined : `${where}: ${ajv.errorsText(validate.errors)}`;
}
