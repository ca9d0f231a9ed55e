/** Files that the compiler puts into the executable as text. */
declare module "*.css" {
  const text: string;
  export default text;
}
declare module "*.js" {
  const text: string;
  export default text;
}
declare module "*.svg" {
  const text: string;
  export default text;
}
/** Files that stand beside the text: the name is a path, in the executable or in the checkout. */
declare module "*.woff2" {
  const path: string;
  export default path;
}
declare module "*/LICENSE" {
  const text: string;
  export default text;
}
