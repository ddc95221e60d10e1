/** Ask the graph. The schema is read from /schema.graphql: it is the same for everyone, and needs no token. */
import type { Fetcher, FetcherParams } from "@graphiql/toolkit";
import { buildASTSchema, introspectionFromSchema, Kind, parse, visit, type GraphQLSchema } from "graphql";

import { currentToken } from "./access";

type Answer = Record<string, unknown>;

/** What GraphiQL asks by. It never throws: an error is an answer too, and is shown as one. */
export const fetcher: Fetcher = async (params) => {
  try {
    if (params.operationName === "IntrospectionQuery") {
      return { data: introspectionFromSchema(await readSchema()) as unknown as Answer };
    }
    return await ask(params);
  } catch (error) {
    return { errors: [{ message: error instanceof Error ? error.message : String(error) }] } as unknown as Answer;
  }
};

/** One answer of the graph's. Throws an Error whose message says what to do. */
export async function ask(params: FetcherParams): Promise<Answer> {
  const token = await currentToken();
  let response: Response;
  let text: string;
  try {
    response = await fetch("/graphql", {
      method: "POST",
      headers: {
        accept: "application/json",
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
      },
      body: JSON.stringify({ ...params, operationName: operationName(params) }),
      credentials: "omit",
      cache: "no-store",
    });
    text = await response.text();
  } catch {
    throw new Error("The answer did not come, or broke off. Nothing of it is shown, as a part is not the whole. Ask again.");
  }
  try {
    const { data, ...rest } = JSON.parse(text) as Answer;
    return data === undefined ? rest : { data, ...rest }; // what the errors say is spelled out below the answer
  } catch {
    throw new Error(`The server answered ${response.status} without JSON. Its log says why.`);
  }
}

/** Which operation is meant. GraphiQL learns of a new text's a moment late, so a text with one is asked for that one. */
function operationName({ query, operationName }: FetcherParams): string | null | undefined {
  try {
    const operations = parse(query).definitions.filter((each) => each.kind === Kind.OPERATION_DEFINITION);
    return operations.length === 1 ? operations[0]?.name?.value : operationName;
  } catch {
    return undefined; // the server says better what is wrong with it
  }
}

/** The public graph: the text at /schema.graphql without federation's directives, and without what vendors do not see. */
async function readSchema(): Promise<GraphQLSchema> {
  const response = await fetch("/schema.graphql", { credentials: "omit" });
  if (!response.ok) throw new Error(`The schema cannot be read: the server answered ${response.status}.`);
  const document = visit(parse(await response.text()), {
    FieldDefinition: (field) =>
      field.directives?.some((directive) => directive.name.value === "inaccessible") ? null : undefined,
    [Kind.SCHEMA_DEFINITION]: () => null,
  });
  return buildASTSchema(document, { assumeValidSDL: true });
}
