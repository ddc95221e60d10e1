/** What an answer's errors mean, in plain words, beside the answer. */
import { useGraphiQL } from "@graphiql/react";
import { useMemo } from "react";

import { REASONS } from "./reasons";

interface GraphError {
  message: string;
  extensions?: { code?: string; coordinate?: string; selection?: string; scope?: string; revision?: string };
}

export function Withheld() {
  const response = useGraphiQL((state) => state.tabs[state.activeTabIndex]?.response ?? "");
  const answer = useMemo(() => read(response), [response]);
  if (!answer) return null;
  const { errors, hasData } = answer;
  const withheld = errors.filter((error) => error.extensions?.coordinate !== undefined);
  const others = errors.filter((error) => error.extensions?.coordinate === undefined);
  return (
    // The region scrolls, so it takes the focus: the arrow keys move it.
    <section className="homeroom-withheld" aria-labelledby="homeroom-withheld" tabIndex={0}>
      <h2 id="homeroom-withheld">
        <span role="status">{heading(withheld.length, others.length)}</span>
      </h2>
      {errors.length === 0 && hasData && <p>Where a value is null, the district has none.</p>}
      {others.length > 0 && (
        <ul>
          {others.map((error, index) => (
            <li key={index}>
              {error.message} {error.extensions?.code && <code>{error.extensions.code}</code>}
            </li>
          ))}
        </ul>
      )}
      {withheld.length > 0 && (
        <ul>
          {withheld.map((error, index) => (
            <Denial key={index} error={error} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Denial({ error: { message, extensions = {} } }: { error: GraphError }) {
  const { code = "", coordinate, selection, scope, revision } = extensions;
  const reason = REASONS[code];
  return (
    <li>
      <h3>
        <code>{coordinate}</code> <span className="homeroom-reason">{reason?.title ?? code}</span>
      </h3>
      {reason && <p>{reason.sentence}</p>}
      <p>
        <strong>What to do:</strong> {message}
      </p>
      <dl>
        <Fact name="Code" value={code} />
        <Fact name="Asked for at" value={selection} />
        <Fact name="Scope" value={scope} />
        <Fact name="Grant’s revision" value={revision?.slice(0, 12)} title={revision} />
      </dl>
    </li>
  );
}

function Fact({ name, value, title }: { name: string; value?: string; title?: string }) {
  if (!value) return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd title={title}>{value}</dd>
    </div>
  );
}

function heading(withheld: number, others: number): string {
  if (withheld > 0) return withheld === 1 ? "1 field was withheld" : `${withheld} fields were withheld`;
  return others > 0 ? "The query was not answered" : "Nothing was withheld";
}

function read(response: string): { errors: GraphError[]; hasData: boolean } | undefined {
  try {
    const { data, errors } = JSON.parse(response) as { data?: object | null; errors?: GraphError[] };
    if (data === undefined && errors === undefined) return undefined;
    return { errors: errors ?? [], hasData: data != null };
  } catch {
    return undefined; // nothing was asked yet, or an answer is on its way
  }
}
