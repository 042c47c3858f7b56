/** How operations of the API are described: for the router, which checks requests by it, and for the OpenAPI document. */

export const ref = (name: string) => ({ $ref: `${name}#` });
export const plain = (type: string, description: string) => ({ description, content: { [type]: { schema: { type: "string" } } } });
export const errors = (...statuses: readonly number[]) => Object.fromEntries(statuses.map((status) => [status, ref("Error")]));
export const text = (maxLength: number) => ({ type: "string", minLength: 1, maxLength });
export const WHOLE_NUMBER = { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER };

/** Unknown parameters are refused: a misspelt one that is ignored would answer another question. */
export const parameters = (properties: Record<string, unknown>, required: readonly string[] = []) => ({
  type: "object",
  additionalProperties: false,
  properties,
  required,
});

export function operation(
  tag: "operations" | "state" | "acts",
  summary: string,
  response: Record<number, unknown>,
  input: Record<string, unknown> = {},
) {
  return { schema: { summary, tags: [tag], response, ...input } };
}
