/** The frame of every page: navigation, account, questions. */
export const frame = {
  skip: "Skip to the content",
  toLibrary: "Kinomill, to the library",
  sections: "Sections",
  library: "Library",
  jobs: "Jobs",
  system: "System",
  notices: "Notices",
  changeColours: "Change the colours",
  account: "Account",
  administrator: "Administrator",
  member: "Member",
  api: "API",
  logOut: "Log out",
  version: (version: string) => `Kinomill ${version}`,
  cancel: "Cancel",
  delete: "Delete",
} as const;
