// The product's own bundle, put beside the wrapper when the bench runs.
declare const product: {
  fetch(request: Request, env: unknown, context: ExecutionContext): Promise<Response>;
  scheduled(controller: { scheduledTime: number }, env: unknown): Promise<void>;
};
export default product;
