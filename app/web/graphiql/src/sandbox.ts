/** The sandbox: its districts, its vendors, and tokens to run as one of them. A real server has none of this. */

export interface District {
  space: string;
  name: string;
  /** Each purpose that the district allows, with the sentence that a parent reads. */
  purposes: Record<string, string>;
}

export interface Vendor {
  client: string;
  about: string;
  /** For which purposes it has a grant, by space. */
  grants: Record<string, string[]>;
}

export interface Sandbox {
  districts: District[];
  vendors: Vendor[];
}

/** One vendor in one district for one purpose. */
export interface As {
  client: string;
  space: string;
  purpose: string;
}

/** Whether this page is a sandbox's. */
export const isSandbox = document.querySelector<HTMLMetaElement>('meta[name="homeroom:sandbox"]')?.content === "yes";

/** Who can be run as. Throws an Error whose message says what to do. */
export async function findSandbox(): Promise<Sandbox> {
  return (await ask("/sandbox/vendors", { method: "GET" })) as Sandbox;
}

/** A token. Throws an Error whose message says what to do. */
export async function mintToken(as: As): Promise<string> {
  const headers = { "content-type": "application/json" };
  const said = await ask("/sandbox/token", { method: "POST", headers, body: JSON.stringify(as) });
  return (said as { access_token: string }).access_token;
}

/** The purpose to begin with: one that the vendor has a grant for, else the district's first. */
export function firstPurpose(vendor: Vendor, district: District): string {
  return vendor.grants[district.space]?.[0] ?? Object.keys(district.purposes)[0] ?? "";
}

async function ask(path: string, request: RequestInit): Promise<unknown> {
  let said: unknown;
  try {
    const response = await fetch(path, { ...request, credentials: "omit", cache: "no-store" });
    said = await response.json();
    if (response.ok) return said;
  } catch {
    throw new Error("The sandbox does not answer. Start it again with ./run, then choose once more.");
  }
  throw new Error((said as { error_description?: string }).error_description ?? "The sandbox refused, and gave no reason.");
}
