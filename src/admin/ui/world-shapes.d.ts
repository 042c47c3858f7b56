/** Made when the dashboard is built: `src/cli/dashboard-build`. */
declare module "virtual:world-shapes" {
  export const world: {
    readonly width: number;
    readonly height: number;
    readonly scale: number;
    readonly translate: readonly [number, number];
    readonly countries: readonly (readonly [code: string, path: string])[];
  };
}
