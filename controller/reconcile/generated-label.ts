/** On GlobalRoutes that are made of annotations: their spec is ours. Without it they are whoever's they are. */
export const GENERATED_LABEL = "globalroute.dev/generated";
