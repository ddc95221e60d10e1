/** Why a field is withheld, in plain words. The codes are `extensions.code` of an answer's errors. */
export const REASONS: Record<string, { title: string; sentence: string }> = {
  CLIENT_SUSPENDED: {
    title: "Vendor suspended",
    sentence: "The operator suspended this vendor. It receives nothing until it is resumed.",
  },
  SCOPE_MISSING: {
    title: "Scope missing",
    sentence: "The token does not hold the scope that this field needs, or the vendor is not registered for it.",
  },
  NO_GRANT: {
    title: "No grant",
    sentence: "The district has no grant for this vendor and this purpose.",
  },
  GRANT_NOT_YET: {
    title: "Not yet",
    sentence: "The grant begins on a later day.",
  },
  GRANT_EXPIRED: {
    title: "Over",
    sentence: "The grant has ended. The district may renew it.",
  },
  APPROVAL_PENDING: {
    title: "Waits for approval",
    sentence: "The field is sensitive. It is in the grant, and somebody who must approve it by name has not done so yet.",
  },
  DENIED_BY_STATE: {
    title: "Denied by the state",
    sentence: "The state gives this field to nobody in this position. No district can grant it.",
  },
  DENIED_BY_DISTRICT: {
    title: "Denied by the district",
    sentence: "The district gives this field to nobody, whatever a grant says.",
  },
  NOT_GRANTED: {
    title: "Not granted",
    sentence: "The district’s grant does not name this field. What a grant does not name is withheld.",
  },
  NOT_OFFERED: {
    title: "Not offered",
    sentence: "The district has no source for this field.",
  },
};
