export const id = 420;
export const ids = [420];
export const modules = {

/***/ 420:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

__webpack_require__.r(__webpack_exports__);
/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   "default": () => (/* binding */ a)
/* harmony export */ });
/* harmony import */ var node_module__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(995);
/* harmony import */ var _chunk_CEQHQZ5Z_mjs__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(145);
/* harmony import */ var _chunk_ECBOWIOI_mjs__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(368);
/* harmony import */ var _chunk_TSHUUVCP_mjs__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(775);
const require=(0,node_module__WEBPACK_IMPORTED_MODULE_0__.createRequire)(import.meta.url);
var r={"aws-region":{kind:"region",required:!0},"model-package-arn":{kind:"arn",required:!0},rules:{kind:"file",required:!1,default:"model-build/gate.yml"},"role-to-assume":{kind:"role-arn",required:!1},"role-chain":{kind:"role-arns",required:!1},"role-duration-seconds":{kind:"seconds",required:!1},"timeout-minutes":{kind:"minutes",required:!1,default:"30"},"on-cancel":{kind:{choice:["detach","stop"]},required:!1,default:"detach"}};var a=(0,_chunk_CEQHQZ5Z_mjs__WEBPACK_IMPORTED_MODULE_1__.a)("gate-model",r,()=>Promise.all(/* import() */[__webpack_require__.e(974), __webpack_require__.e(606), __webpack_require__.e(917)]).then(__webpack_require__.bind(__webpack_require__, 917)));


/***/ })

};
