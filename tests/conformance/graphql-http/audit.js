// Run every server audit of `graphql-http` against the server named by the environment; print one JSON list.
import { serverAudits } from 'graphql-http';

const { GRAPH, TOKEN } = process.env;
const fetchFn = (url, init = {}) =>
  fetch(url, { ...init, headers: { ...init.headers, authorization: `Bearer ${TOKEN}` } });

const results = [];
for (const audit of serverAudits({ url: GRAPH, fetchFn })) {
  const result = await audit.fn();
  results.push({ id: audit.id, name: audit.name, status: result.status, reason: result.reason ?? null });
}
console.log(JSON.stringify(results));
