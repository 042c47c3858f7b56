/** Made when the dashboard is built: `src/cli/dashboard-build`. */
declare module "virtual:countries" {
  /** ISO 3166-1 alpha-2 and the `d` of its outline, as `src/geo/equal-earth.ts` draws it. */
  export const countries: readonly (readonly [code: string, path: string])[];
}
