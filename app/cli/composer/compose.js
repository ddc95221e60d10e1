// Composes subgraphs. Reads [{ name, url, sdl }] as JSON, writes { supergraph } or { errors: [{ subgraph, line, message }] }.
import { readFileSync } from "node:fs";
import { composeServices } from "@theguild/federation-composition";
import { parse } from "graphql";

const errors = [];
const services = [];
for (const { name, url, sdl } of JSON.parse(readFileSync(0, "utf8"))) {
  try {
    services.push({ name, url, typeDefs: parse(sdl) });
  } catch (error) {
    errors.push({ subgraph: name, line: error.locations?.[0]?.line, message: error.message.split("\n")[0] });
  }
}
const composed = errors.length > 0 ? {} : composeServices(services);
for (const error of composed.errors ?? []) {
  const [, subgraph, message] = /^\[([^\]]+)\] ([^]*)$/.exec(error.message) ?? [null, null, error.message];
  errors.push({ subgraph, message });
}
process.stdout.write(JSON.stringify(errors.length > 0 ? { errors } : { supergraph: composed.supergraphSdl }));
