throw new Error("A function that is switched off is not even loaded.");
